"""Journeys as files: download one with its letters, upload one, look, and make drafts of it."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.log_actions import log
from wagtail.models import Site

from ..consent.models import Topic
from ..exceptions import BundleError
from ..journeys.bundles.drawing import draw
from ..journeys.bundles.exporting import export, file_name
from ..journeys.bundles.importing import Imported, install
from ..journeys.bundles.schema import Bundle, read_bundle
from ..journeys.bundles.survey import Choice, Survey, TemplateOutlook, language_name
from ..journeys.bundles.uploaded_json import MAX_BYTES
from ..journeys.graph import Graph
from ..journeys.models import Journey
from ..messages.blocks.kinds.mjml import PERMISSION as MAY_WRITE_MJML
from ..messages.models import Template
from .doors import guarded
from .permissions import ANY_ACTION, policy_of

#: As it stands in the audit log, and in `register_log_actions`.
IMPORT: Final = "wagtail_triggers.import"


def sites_to_fill(user: Any) -> QuerySet[Site]:
    """Return the sites on which `user` may add journeys and letters, the default one first."""
    rows: QuerySet[Site] = Site.objects.order_by("-is_default_site", "pk")
    for model in (Journey, Template):
        sites = policy_of(model).sites(user, ["add"])
        rows = rows if sites is None else rows.filter(pk__in=sites)
    return rows


def may_import(user: Any) -> bool:
    """Say whether `user` may add journeys with their letters on any site."""
    return sites_to_fill(user).exists()


def may_export(user: Any, journey: Journey) -> bool:
    """Say whether `user` may read a journey and the letters of its site."""
    return all(
        policy_of(model).user_has_any_permission_for_instance(user, ANY_ACTION, journey)
        for model in (Journey, Template)
    )


def survey_for(user: Any, bundle: Bundle, site: Site, *, language: str = "en") -> Survey:
    """Return the bundle seen from a site, within what `user` may do there.

    Raises:
        BundleError: A letter holds what cannot be read here, or what `user` may not write.
    """
    return Survey(
        bundle,
        site,
        makes_topics=policy_of(Topic).user_has_permission_for_instance(
            user, "add", Topic(site=site)
        ),
        allows_mjml=user.has_perm(MAY_WRITE_MJML),
        language=language,
    )


def export_buttons(user: Any, journey: Journey) -> list[Button]:
    """Return "Letters" and the ways to download a journey, for those who may; else none."""
    if journey.pk is None or not may_export(user, journey):
        return []
    url = reverse("triggers_bundles:export", args=[journey.pk])
    letters = reverse("triggers_bundles:letters", args=[journey.pk])
    buttons = [
        Button(_("Message templates"), url=letters, icon_name="mail", priority=26),
        Button(_("Export"), url=url, icon_name="download", priority=60),
    ]
    if journey.live_version_id is not None and journey.has_unpublished_changes:
        live = f"{url}?published=1"
        buttons.append(
            Button(_("Export as published"), url=live, icon_name="download", priority=61)
        )
    return buttons


def start_buttons(user: Any) -> list[HeaderButton]:
    """Return "Start from a recipe", for those who may; else none."""
    if not may_import(user):
        return []
    url = reverse("triggers_recipes:gallery")
    return [HeaderButton(_("Start from a recipe"), url=url, icon_name="pick")]


@require_GET
def export_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Download a journey with its letters, as it was last saved, or `?published=1`."""
    journey = get_object_or_404(Journey, pk=pk)
    if not may_export(request.user, journey):
        raise PermissionDenied
    try:
        text = export(journey, published=request.GET.get("published") == "1")
    except BundleError as error:
        messages.error(request, str(error))
        return redirect(reverse("triggers_journeys:list"))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name(journey)}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


class UploadForm(forms.Form):
    """Which file, and into which site."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("A file that was exported here or in another installation."),
        widget=forms.FileInput(attrs={"accept": "application/json,.json"}),
    )
    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"), empty_label=None)

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - see above
        field.queryset = sites
        if sites.count() == 1:
            self.fields["site"].widget = forms.HiddenInput()
        self.initial["site"] = sites.first()

    def clean_file(self) -> Bundle:
        """Read the file; whatever is wrong with it stands under the field."""
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            message = _t("The file has %(have)d KiB, and may have %(most)d. Is it the right one?")
            values = {"have": upload.size // 1024, "most": MAX_BYTES // 1024}
            raise forms.ValidationError(message % values)
        return _readable(upload.read(MAX_BYTES + 1))


class ConfirmForm(forms.Form):
    """What was looked at, once more, with what becomes of letters that are there already."""

    bundle = forms.CharField(widget=forms.HiddenInput, max_length=MAX_BYTES, strip=False)
    site = forms.ModelChoiceField(Site.objects.none(), widget=forms.HiddenInput)

    def __init__(self, *args: Any, sites: QuerySet[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["site"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - see above
        field.queryset = sites

    def clean_bundle(self) -> Bundle:
        """Read it as a file is read: it comes from a browser again."""
        return _readable(self.cleaned_data["bundle"].encode())

    def choices(self, survey: Survey) -> dict[str, Choice]:
        """What was chosen for each letter that is there already."""
        asked = {one.part.key: self.data.get(name_of_choice(one)) for one in survey.templates}
        return {
            key: "reuse" if answer == "reuse" else "copy"
            for key, answer in asked.items()
            if answer in ("reuse", "copy")
        }


def name_of_choice(outlook: TemplateOutlook) -> str:
    """The name of the field that asks what becomes of a letter."""
    return f"letter-{outlook.part.key}"


def _readable(data: bytes) -> Bundle:
    try:
        return read_bundle(data)
    except BundleError as error:
        raise forms.ValidationError(str(error).splitlines()) from error


class ImportView(WagtailAdminTemplateMixin, TemplateView):
    """GET asks for a file, POST of one shows what it would make, POST of that makes it."""

    page_title = _("Import a journey")
    header_icon = "upload"
    template_name = "wagtail_triggers/admin/bundle_import.html"
    http_method_names = ("get", "post", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not add journeys and letters."""
        if not may_import(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def sites(self) -> QuerySet[Site]:
        """Where a journey may go."""
        return sites_to_fill(self.request.user)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {"url": "", "label": self.get_page_title()},
        ]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what a file would make, or make what has been shown."""
        if "bundle" in request.POST:
            return self._confirmed(request)
        form = UploadForm(request.POST, request.FILES, sites=self.sites)
        if not form.is_valid():
            return self._ask(form)
        try:
            bundle, site = form.cleaned_data["file"], form.cleaned_data["site"]
            return self._show(survey_for(request.user, bundle, site), form.files["file"])
        except BundleError as error:
            form.add_error("file", str(error))
            return self._ask(form)

    def _ask(self, form: UploadForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))

    def _show(self, survey: Survey, file: Any) -> HttpResponse:
        file.seek(0)
        confirm = ConfirmForm(
            initial={
                "bundle": file.read(MAX_BYTES).decode("utf-8-sig"),
                "site": survey.site,
            },
            sites=self.sites,
        )
        return self.render_to_response(self.get_context_data(confirm=confirm, **shown(survey)))

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        form = ConfirmForm(request.POST, sites=self.sites)
        if not form.is_valid():
            for error in form.errors.get("bundle", form.errors.get("site", [])):
                messages.error(request, str(error))
            return redirect(reverse("triggers_bundles:import"))
        try:
            survey = survey_for(
                request.user, form.cleaned_data["bundle"], form.cleaned_data["site"]
            )
            made = install(survey, choices=form.choices(survey), by=request.user)
        except BundleError as error:
            messages.error(request, str(error))
            return redirect(reverse("triggers_bundles:import"))
        return landed(request, made)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the form for the file, unless there is something to show."""
        if "form" not in kwargs and "confirm" not in kwargs:
            kwargs["form"] = UploadForm(sites=self.sites)
        return {
            **super().get_context_data(**kwargs),
            "back": reverse("triggers_journeys:list"),
        }


def landed(request: HttpRequest, made: Imported, source: str = "") -> HttpResponse:
    """Note who made what, and lead to the letters, where everything goes on."""
    log(
        made.journey,
        IMPORT,
        user=request.user,
        data={"templates": len(made.templates), "recipe": source},
    )
    messages.success(
        request,
        _t(
            "“%(name)s” is there, as a draft. Look at its message templates, then publish them "
            "and the journey."
        )
        % {"name": made.journey.name},
    )
    return redirect(reverse("triggers_bundles:letters", args=[made.journey.pk]))


def shown(survey: Survey) -> dict[str, Any]:
    """Return what a page needs to tell what would be made."""
    graph = Graph.from_json(survey.bundle.journey.graph or {})
    return {
        "survey": survey,
        "drawing": draw(graph, survey.surroundings),
        "letters": [
            {
                "outlook": one,
                "field": name_of_choice(one),
                "languages": [language_name(place.locale.language_code) for place in one.landings],
            }
            for one in survey.templates
        ],
        "new_topics": [
            (topic.name_in(survey.locales[0].language_code), Topic.Consent(topic.consent).label)
            for topic in survey.new_topics
        ],
        "missing": survey.missing,
        "left_out": survey.left_out,
        "stand_ins": survey.stand_ins,
    }


def bundle_urls() -> list[URLPattern]:
    """Return the URLs."""
    from .letters import LettersView  # it leads back here

    return guarded(
        Journey,
        [
            path("import/", ImportView.as_view(), name="import"),
            path("<int:pk>/export/", export_view, name="export"),
            path("<int:pk>/letters/", LettersView.as_view(), name="letters"),
        ],
    )
