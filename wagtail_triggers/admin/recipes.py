"""The gallery of recipes: look at ready-made journeys, and start from one."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic import TemplateView
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import HeaderButton
from wagtail.models import Locale, Site

from ..exceptions import BundleError
from ..journeys.bundles.drawing import draw
from ..journeys.bundles.gallery import Recipe, recipes
from ..journeys.bundles.importing import install
from ..journeys.bundles.schema import TemplatePart
from ..journeys.bundles.survey import Survey, language_name
from ..journeys.graph import Graph
from ..journeys.outline import outline
from ..journeys.steps.base import NEXT, Role
from ..journeys.steps.registry import steps as step_kinds
from ..messages.models import Template
from ..messages.preview_page import serve_preview
from .bundles import landed, may_import, shown, sites_to_fill, survey_for

#: As Wagtail's preview panel calls them: what a letter can be looked at as.
MODES: Final = frozenset({"html", "phone", "dark", "text", "sms"})


class RecipePage(WagtailAdminTemplateMixin, TemplateView):
    """A page about recipes, for those who may start from one."""

    page_title = _("Recipes")
    header_icon = "triggers-journey"
    http_method_names: tuple[str, ...] = ("get", "post", "head")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse whoever may not add journeys and letters."""
        if not may_import(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def site(self) -> Site:
        """The site into which a recipe goes: that which is asked for, else the first."""
        sites = sites_to_fill(self.request.user)
        asked = self.request.POST.get("site") or self.request.GET.get("site") or ""
        chosen = sites.filter(pk=int(asked)).first() if asked.isdecimal() else None
        found = chosen or sites.first()
        if found is None:
            raise PermissionDenied
        return found

    @cached_property
    def language(self) -> str:
        """The language in which letters are shown: that which is asked for, else the reader's."""
        known = {code for one in recipes() for code in one.bundle.languages}
        asked = self.request.GET.get("language", "")
        own = (get_language() or "en").lower()
        for code in (asked, own, own.partition("-")[0]):
            if code in known:
                return code
        return "en"

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that the address names."""
        for one in recipes():
            if one.identifier == self.kwargs["name"]:
                return one
        raise Http404

    def languages(self, *asked: Recipe) -> list[tuple[str, str]]:
        """The languages of these recipes, with their names."""
        codes = sorted({code for one in asked for code in one.bundle.languages})
        return [(code, language_name(code)) for code in codes]

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        return [
            *self.breadcrumbs_items,
            {"url": reverse("triggers_journeys:list"), "label": _("Journeys")},
            {"url": "", "label": self.get_page_title()},
        ]


class GalleryView(RecipePage):
    """All recipes, as cards."""

    template_name = "wagtail_triggers/admin/recipes.html"

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        """Return none: a file is imported by a button of its own."""
        return []

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        """Return "Import a journey"."""
        url = reverse("triggers_bundles:import")
        return [HeaderButton(_("Import a journey"), url=url, icon_name="upload")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the cards under their headings."""
        cards = [self._card(one) for one in recipes()]
        grouped = groupby(cards, key=lambda card: str(card["recipe"].category))
        return {
            **super().get_context_data(**kwargs),
            "groups": [(heading, list(group)) for heading, group in grouped],
            "languages": self.languages(*recipes()),
            "language": self.language,
            "site": self.site,
        }

    def _card(self, recipe: Recipe) -> dict[str, Any]:
        survey = Survey(recipe.bundle, self.site, language=self.language)
        return {
            "recipe": recipe,
            "title": recipe.title(self.language),
            "summary": recipe.summary(self.language),
            "drawing": draw(Graph.from_json(recipe.bundle.journey.graph), survey.surroundings),
            "letters": [
                str(part.translations[part.spoken(self.language)].texts["name"])
                for part in recipe.bundle.templates
            ],
            "missing": len([one for one in survey.problems if one.severity == "error"]),
        }


class RecipeView(RecipePage):
    """One recipe: how it goes, and its letters. POST makes drafts of it."""

    template_name = "wagtail_triggers/admin/recipe.html"

    def get_page_title(self) -> str:
        """Return the recipe's title."""
        return self.recipe.title(self.language)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here."""
        items = super().get_breadcrumbs_items()
        items[-1:] = [
            {"url": reverse("triggers_recipes:gallery"), "label": _("Recipes")},
            {"url": "", "label": self.get_page_title()},
        ]
        return items

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Make a draft of the journey and of its letters, and lead there."""
        try:
            survey = survey_for(request.user, self.recipe.bundle, self.site)
            # Two journeys from one recipe have letters of their own: changing the one must not
            # change what the other says.
            copies = {one.key: "copy" for one in self.recipe.bundle.templates}
            made = install(
                survey,
                choices=copies,  # type: ignore[arg-type]  # "copy" is a Choice
                by=request.user,
                name=self.recipe.title(),
                description=self.recipe.summary(),
            )
        except BundleError as error:
            messages.error(request, str(error))
            return redirect(reverse("triggers_recipes:recipe", args=[self.recipe.identifier]))
        return landed(request, made, self.recipe.identifier)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the drawing, the outline, the letters, and what would be made."""
        survey = survey_for(
            self.request.user, self.recipe.bundle, self.site, language=self.language
        )
        graph = Graph.from_json(self.recipe.bundle.journey.graph)
        return {
            **super().get_context_data(**kwargs),
            **shown(survey),
            "recipe": self.recipe,
            "summary": self.recipe.summary(self.language),
            "lines": _read_out(graph, survey),
            "messages_of": [self._letter(part) for part in self.recipe.bundle.templates],
            "languages": self.languages(self.recipe),
            "language": self.language,
            "site": self.site,
            "sites": sites_to_fill(self.request.user),
        }

    def _letter(self, part: TemplatePart) -> dict[str, Any]:
        code = part.spoken(self.language)
        url = reverse("triggers_recipes:letter", args=[self.recipe.identifier, part.key, code])
        return {
            "name": part.translations[code].texts["name"],
            "kind": part.message_class_in(code),
            "url": f"{url}?site={self.site.pk}",
            "language": code,
        }


@method_decorator(xframe_options_sameorigin, name="dispatch")
class LetterView(RecipePage):
    """One letter of a recipe, with made-up data: what stands in the frames of its page."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the letter as a document that can do nothing."""
        key = str(kwargs["key"])
        part = next((one for one in self.recipe.bundle.templates if one.key == key), None)
        if part is None or kwargs["language"] not in part.translations:
            raise Http404
        mode = request.GET.get("mode", "")
        letter = self._letter(part, kwargs["language"])
        return serve_preview(letter, request, mode if mode in MODES else "html")

    def _letter(self, part: TemplatePart, language: str) -> Template:
        """The letter, unsaved; its language need not be one of the shop's."""
        # An id that no row has: without one the locale would not count as chosen.
        locale = Locale.objects.filter(language_code=language).first()
        return Template(
            site=self.site,
            locale=locale or Locale(pk=-1, language_code=language),
            message_class=part.message_class_in(language),
            event=part.event_in(language),
            **Survey(self.recipe.bundle, self.site).bodies[part.key, language],
        )


def _read_out(graph: Graph, survey: Survey) -> list[tuple[str, str, str]]:
    """The icon, the way there and the sentence of each step; what watches all the time comes last.

    The way is named only where a step has several, and it is not the ordinary one.
    """
    lines = [line for line in outline(graph, survey.surroundings) if not line.again]
    watching = {node.id for node in graph.nodes if _watches(node.kind)}
    lines.sort(key=lambda line: line.node in watching)
    return [
        (line.icon, "" if line.port == str(NEXT.label) else line.port, line.sentence)
        for line in lines
    ]


def _watches(kind: str) -> bool:
    return kind in step_kinds and step_kinds.get(kind).role is Role.WATCH


class RecipesMenuItem(MenuItem):
    """Triggers > Recipes, for those who may start from one."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Say whether the reader may."""
        return may_import(request.user)


def recipes_menu_item() -> RecipesMenuItem:
    """Return the entry: a `register_triggers_menu_item` hook."""
    return RecipesMenuItem(
        _("Recipes"),
        reverse("triggers_recipes:gallery"),
        name="recipes",
        icon_name="pick",
        order=105,
    )


def recipe_urls() -> list[URLPattern]:
    """Return the URLs."""
    return [
        path("", GalleryView.as_view(), name="gallery"),
        path("<slug:name>/", RecipeView.as_view(), name="recipe"),
        path("<slug:name>/<uuid:key>/<slug:language>/", LetterView.as_view(), name="letter"),
    ]
