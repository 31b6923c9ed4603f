"""The page from which a template is sent as a test, and what became of the last ones."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.generic import View
from wagtail.log_actions import log

from ..conf import settings
from ..exceptions import TriggersError
from ..messages.models import Template, Trial
from ..messages.personas import PERSONAS
from ..messages.readers import Reader, persona_named
from ..messages.trials import is_allowed, left_for, send_trial
from . import access
from .permissions import policy_of
from .template_preview import reader_of

#: As it stands in the audit log, and in `register_log_actions`.
ACTION: Final = "wagtail_triggers.send_test"
_SHOWN: Final = 10
#: In the place of a persona: whoever was chosen in the preview.
_AS_PREVIEWED: Final = "previewed"


def may_send_trial(user: Any, template: Template) -> bool:
    """Say whether `user` may send tests of this template: whoever writes it, and was let to."""
    writes = policy_of(Template).user_has_permission_for_instance(user, "change", template)
    return writes and access.has(user, "send_test", template.site_id)


class TrialForm(forms.Form):
    """Where to, over which channel, and with whose data."""

    address = forms.CharField(label=_("To"), max_length=320)
    channel = forms.ChoiceField(label=_("Channel"))
    reader = forms.ChoiceField(label=_("With the data of"))

    def __init__(self, *args: Any, own: str, previewed: Reader, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = own
        self.fields["address"].initial = own
        self.fields["address"].help_text = _allowed_words()
        channels = [(name, name) for name in settings.CHANNELS]
        readers: list[tuple[str, Any]] = [(name, one.label) for name, one in PERSONAS.items()]
        if previewed.contact is not None or previewed.event is not None:
            readers.insert(0, (_AS_PREVIEWED, _t("%s (as in the preview)") % previewed.label))
            self.fields["reader"].initial = _AS_PREVIEWED
        else:
            self.fields["reader"].initial = previewed.persona.identifier
        for name, choices in (("channel", channels), ("reader", readers)):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = choices
        if len(channels) == 1:
            self.fields["channel"].initial = channels[0][0]
            self.fields["channel"].widget = forms.HiddenInput()

    def clean_address(self) -> str:
        """Refuse addresses that are nobody's of the staff."""
        address: str = self.cleaned_data["address"].strip()
        if not is_allowed(address, self.own):
            raise forms.ValidationError(
                _t("Tests cannot go to “%(address)s”. %(allowed)s")
                % {"address": address, "allowed": _allowed_words()}
            )
        return address


def _allowed_words() -> str:
    patterns = [str(one) for one in settings.TEST_ADDRESSES]
    if not patterns:
        return _t("Your own address. The setting WAGTAIL_TRIGGERS_TEST_ADDRESSES can allow others.")
    return _t("Your own address, or: %s.") % ", ".join(patterns)


# Nothing may wait for a provider inside a transaction, whatever the host's ATOMIC_REQUESTS says.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class TrialView(View):
    """Shows the form and the last tests; sends one."""

    http_method_names = ("get", "post")
    row: Template
    #: The newest draft, which is what is sent.
    draft: Template

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not send tests."""
        self.row = get_object_or_404(Template, pk=kwargs["pk"])
        if not may_send_trial(request.user, self.row):
            raise PermissionDenied
        self.draft = self.row.get_latest_revision_as_object()
        return super().dispatch(request, *args, **kwargs)

    def _form(self, request: HttpRequest, data: Any = None) -> TrialForm:
        own = str(getattr(request.user, "email", "") or "")
        return TrialForm(data, own=own, previewed=reader_of(request, self.draft))

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form."""
        return self._page(request, self._form(request))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send one, log who did it, and say what became of it."""
        form = self._form(request, request.POST)
        if not form.is_valid():
            return self._page(request, form, status=422)
        chosen = form.cleaned_data["reader"]
        previewed = reader_of(request, self.draft)
        reader = previewed if chosen == _AS_PREVIEWED else Reader(persona=persona_named(chosen))
        try:
            trial = send_trial(
                self.draft,
                reader,
                channel=form.cleaned_data["channel"],
                address=form.cleaned_data["address"],
                user=request.user,
            )
        except TriggersError as error:
            form.add_error(None, str(error))
            return self._page(request, form, status=422)
        data = {"address": trial.address, "channel": trial.channel, "as": trial.shown_as}
        log(self.row, ACTION, user=request.user, data=data)
        _say(request, trial)
        return redirect(reverse("triggers_templates:test_send", args=[pk]))

    def _page(self, request: HttpRequest, form: TrialForm, status: int = 200) -> HttpResponse:
        trials = list(self.row.trials.select_related("user").order_by("-pk")[:_SHOWN])
        edit = reverse("triggers_templates:edit", args=[self.row.pk])
        context = {
            "form": form,
            "template": self.draft,
            "trials": trials,
            "left": left_for(request.user),
            "edit_url": edit,
            "header_title": _t("Send a test"),
            "page_title": _t("Send a test"),
            "page_subtitle": str(self.draft),
            "header_icon": "mail",
            "breadcrumbs_items": [
                {"url": reverse("wagtailadmin_home"), "label": _t("Home")},
                {
                    "url": reverse("triggers_templates:list"),
                    "label": Template._meta.verbose_name_plural,
                },
                {"url": edit, "label": str(self.draft)},
                {"url": "", "label": _t("Send a test")},
            ],
        }
        name = "wagtail_triggers/admin/test_send.html"
        return TemplateResponse(request, name, context, status=status)


def _say(request: HttpRequest, trial: Trial) -> None:
    words = {"address": trial.address, "reason": _t(trial.reason) if trial.reason else ""}
    match trial.state:
        case Trial.State.ACCEPTED:
            messages.success(request, _t("The test is on its way to %(address)s.") % words)
        case Trial.State.FAILED:
            messages.error(request, _t("The test did not leave: %(reason)s") % words)
        case _:
            messages.warning(request, _t("Nobody knows whether it left: %(reason)s") % words)


def trial_urls() -> list[URLPattern]:
    """Return the page's URL."""
    return [path("<int:pk>/test/", TrialView.as_view(), name="test_send")]
