"""Every URL that names a row asks first whether that row is on a site of the reader's.

Wagtail's generic views ask whether somebody may change *journeys*, and some (history, usage,
comparison, copying) ask little else. So the question is put before all of them, in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.views.decorators.http import require_safe
from wagtail.snippets.views.chooser import (
    ChooseResultsView,
    ChooseView,
    SnippetChooserViewSet,
    SnippetChosenMultipleView,
    SnippetChosenView,
)

from .access import narrow
from .permissions import may_touch, may_view, visible

View = Callable[..., HttpResponse]

#: Wagtail's page for a copy fills in a form that is posted to "add". Posted to itself it would
#: write over the original, for whoever may add one of its kind.
COPY: Final = "copy"


def guarded(model: type[Model], patterns: Iterable[URLPattern]) -> list[URLPattern]:
    """Return these URL patterns, with the question before each that names a row by `pk`."""
    return [
        URLPattern(
            one.pattern,
            _guard(model, require_safe(one.callback) if one.name == COPY else one.callback),
            one.default_args,
            one.name,
        )
        for one in patterns
    ]


def guard_urls(place: Any) -> None:
    """Guard all URLs of a viewset, whatever its subclasses add to them."""
    own = place.get_urlpatterns

    def get_urlpatterns() -> list[URLPattern]:
        return guarded(place.model, own())

    place.get_urlpatterns = get_urlpatterns


def _guard(model: type[Model], view: View) -> View:
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "pk" in kwargs:
            row = _row(model, kwargs["pk"])
            if row is not None:  # what does not exist is the view's to say
                narrow(request.user, row.site_id)
                if not may_touch(request.user, row) and not _reviews(request.user, row):
                    raise PermissionDenied
        return view(request, *args, **kwargs)

    return asked


def _reviews(user: Any, row: Any) -> bool:
    """Say whether a workflow asks `user` about the row: reviewers need no other right."""
    task = getattr(row, "current_workflow_task", None)
    return task is not None and bool(task.user_can_access_editor(row, user))


def _row(model: type[Model], pk: object) -> Any:
    try:
        return model._default_manager.filter(pk=unquote(str(pk))).first()
    except (ValueError, ValidationError):
        return None


class _OwnSites:
    """Offers what belongs to a site of the reader's, to those who may see any of it."""

    request: HttpRequest
    model_class: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse whoever may see none: Wagtail's choosers ask nobody."""
        if not may_view(request.user, self.model_class):
            raise PermissionDenied
        answer: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return answer

    def get_object_list(self) -> Any:
        """Return what may be chosen."""
        return visible(self.request.user, super().get_object_list())  # type: ignore[misc]


class SiteChooseView(_OwnSites, ChooseView):
    """The first page of a chooser."""


class SiteChooseResultsView(_OwnSites, ChooseResultsView):
    """Further pages of a chooser, and searches."""


class SiteChosenView(SnippetChosenView):
    """What was chosen."""

    def get_object(self, pk: Any) -> Any:
        """Return the row; refuse one of another site."""
        row = super().get_object(pk)
        if not may_touch(self.request.user, row):
            raise PermissionDenied
        return row


class SiteChosenMultipleView(_OwnSites, SnippetChosenMultipleView):
    """Several that were chosen at once."""

    def get_objects(self, pks: Any) -> Any:
        """Return those of the reader's sites."""
        return visible(self.request.user, super().get_objects(pks))


class SiteChooserViewSet(SnippetChooserViewSet):
    """A chooser that offers what belongs to a site of the reader's."""

    choose_view_class = SiteChooseView
    choose_results_view_class = SiteChooseResultsView
    chosen_view_class = SiteChosenView
    chosen_multiple_view_class = SiteChosenMultipleView
