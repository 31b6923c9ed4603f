"""The look of a site's mails: its panel in the settings, and how it reaches live templates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import HelpPanel
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.images import get_image_model
from wagtail.log_actions import log
from wagtail.models import Site
from wagtail.permissions import policy_registry

from ..exceptions import TriggersError
from ..messages.branding import brand_from
from ..messages.look import AA, contrasts
from ..messages.models import TriggersSettings
from ..messages.recompile import recompile, standing
from . import access
from .panels import ExplainingPanel

#: As it stands in the audit log, and in `register_log_actions`.
RECOMPILE = "wagtail_triggers.recompile"


class ColourInput(forms.TextInput):
    """A colour as `#rrggbb`: the browser's own chooser where a colour must be given."""

    @property
    def media(self) -> forms.Media:
        """Our style sheet."""
        return forms.Media(css={"all": [versioned_static("wagtail_triggers/admin/look.css")]})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return a context with the type that fits: the chooser knows no empty colour."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        if self.is_required:
            context["widget"]["type"] = "color"
        else:
            context["widget"]["attrs"].update(
                {"placeholder": "#2b5fd9", "spellcheck": "false", "dir": "ltr"}
            )
        return context


class SettingsForm(WagtailAdminModelForm):
    """The settings of a site."""

    def clean_logo(self) -> Any:
        """Refuse a picture that mail programs cannot show."""
        logo = self.cleaned_data["logo"]
        if logo is not None and isinstance(logo, get_image_model()) and logo.is_svg():
            raise forms.ValidationError(
                _t("Mail programs do not show SVG pictures. Choose a PNG or a JPEG.")
            )
        return logo


class LookPanel(ExplainingPanel):
    """Says which colours cannot be read on which, and which templates wear an older look."""

    explains = _("The look of every mail")
    explained_by = "wagtail_triggers/admin/look.html"

    class BoundPanel(HelpPanel.BoundPanel):
        """The panel on the page of one site."""

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            """Return the contrasts of what is saved, and how the live templates stand."""
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["aa"] = AA
            site = self.instance.site
            try:
                context["contrasts"] = contrasts(brand_from(self.instance))
                context["standing"] = standing(site)
            except TriggersError as error:  # half-typed colours of a form that came back
                context["problem"] = str(error)
            context["url"] = reverse("triggers_look:recompile", args=[site.pk])
            context["may_recompile"] = may_recompile(self.request.user, site)
            return context


def may_recompile(user: Any, site: Any) -> bool:
    """Say whether `user` may bring the look to live templates: who may publish them, and set it."""
    own = policy_registry.get_by_type(TriggersSettings)
    publishes = access.has(user, "publish_template", site.pk)
    return bool(publishes and own.user_has_permission_for_instance(user, "change", site))


def warn_of_contrast(request: HttpRequest, instance: Any) -> None:
    """Tell, once settings are saved, which colours cannot be read: a hook of Wagtail's."""
    if not isinstance(instance, TriggersSettings):
        return
    for one in contrasts(brand_from(instance)):
        if not one.readable:
            words = _t(
                "%(what)s: %(ink)s on %(ground)s has a contrast of %(ratio).1f : 1. It takes "
                "%(least)s : 1 to be read by everybody."
            )
            values = {"what": one.label, "ink": one.ink, "ground": one.ground,
                      "ratio": one.ratio, "least": AA}  # fmt: skip
            messages.warning(request, words % values)
    behind = standing(instance.site).outdated
    if behind:
        messages.info(
            request,
            ngettext(
                "One live template still has the look before. Bring the new one to it under “Look "
                "of mails”.",
                "%(count)d live templates still have the look before. Bring the new one to them "
                "under “Look of mails”.",
                behind,
            )
            % {"count": behind},
        )


class RecompileView(WagtailAdminTemplateMixin, TemplateView):
    """Says how many templates are live, and compiles them again."""

    page_title = _("Bring the look to live templates")
    header_icon = "triggers-message"
    template_name = "wagtail_triggers/admin/recompile.html"
    _show_breadcrumbs = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse everybody who may not publish templates of this site."""
        if not may_recompile(request.user, self.site):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def site(self) -> Any:
        """The site that the address names."""
        return get_object_or_404(Site, pk=self.kwargs["site_id"])

    @property
    def back(self) -> str:
        """The page of the site's settings."""
        return reverse(
            "wagtailsettings:edit", args=["wagtail_triggers", "triggerssettings", self.site.pk]
        )

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way from the settings to here."""
        own = TriggersSettings._meta.verbose_name
        return [
            *super().get_breadcrumbs_items(),
            {"url": self.back, "label": str(own)},
            {"url": "", "label": self.page_title},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return how the templates stand."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "standing": standing(self.site), "site": self.site, "back": self.back}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Compile, and say what came of it."""
        changed = 0
        for one in recompile(self.site):
            changed += one.changed
            if one.problem:
                messages.error(request, f"{one.template}: {one.problem}")
            elif one.changed:
                version = one.template.live_version
                log(one.template, RECOMPILE, user=request.user,
                    data={"version": version.number if version else None})  # fmt: skip
        messages.success(
            request,
            ngettext(
                "One template has a new version now.",
                "%(count)d templates have a new version now.",
                changed,
            )
            % {"count": changed},
        )
        return redirect(self.back)


urlpatterns: list[URLPattern] = [
    path("<int:site_id>/recompile/", RecompileView.as_view(), name="recompile"),
]
