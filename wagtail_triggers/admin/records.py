"""What the engine wrote, to look at: a listing and a page for each row; nothing changes it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.db.models import Model, QuerySet
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.paginator import WagtailPaginator
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet

from .permissions import may_view, view_permission, visible

#: Rows of one page of a listing.
PER_PAGE = 50
#: Beyond this many matches a listing no longer says how many there are.
COUNTED_UP_TO = 10_000


class BoundedPaginator(WagtailPaginator):
    """A paginator that stops counting: an exact count of millions of rows takes seconds."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most `COUNTED_UP_TO`."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[:COUNTED_UP_TO].count()
        return len(rows)


class RecordIndexView(generic.IndexView):
    """A listing without buttons that add, edit or delete."""

    any_permission_required = ("view",)
    paginator_class = BoundedPaginator
    default_ordering = "-pk"
    #: Searched with the database's own means: records are not in the search index.
    search_backend_name = None

    def get_base_queryset(self) -> QuerySet[Any]:
        """Return the rows of the sites that the reader serves."""
        return visible(self.request.user, super().get_base_queryset())

    def get_valid_orderings(self) -> list[str]:
        """Return the sortable columns and the newest-first order that listings begin with."""
        return [*super().get_valid_orderings(), "-pk"]


class RecordInspectView(generic.InspectView):
    """One row. Subclasses say what their template shows, in `get_record_context`."""

    any_permission_required = ("view",)
    page_title = _("Record")

    def get_fields(self) -> list[str]:
        """Return none: the template lays the row out itself."""
        return []

    def get_record_context(self) -> dict[str, Any]:
        """Return what the template shows beside the row itself."""
        return {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the context of the template; runs only after permission was checked."""
        return {**super().get_context_data(**kwargs), **self.get_record_context()}

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        """Return the way here; the row's own name stands for the page."""
        items: list[dict[str, Any]] = super().get_breadcrumbs_items()
        items[-1] = {"url": "", "label": self.get_page_subtitle(), "sublabel": ""}
        return items

    def get_header_title(self) -> str:
        """Return the title of the browser's tab."""
        return f"{self.model._meta.verbose_name}: {self.get_page_subtitle()}"


class RecordViewSet(ModelViewSet):
    """A listing and an inspect page under `triggers/…`; no other URL exists."""

    index_view_class = RecordIndexView
    inspect_view_class = RecordInspectView
    inspect_view_enabled = True
    copy_view_enabled = False
    #: Records are many; indexing each save would cost more than the save.
    add_to_reference_index = False
    list_per_page = PER_PAGE
    template_prefix = "wagtail_triggers/admin/"
    search_backend_name = None
    form_fields: tuple[str, ...] = ()

    @property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        """How the audit log finds the page of a row."""
        return type(
            "_RecordURLFinder",
            (RecordURLFinder,),
            {"inspect_url_name": self.get_url_name("inspect")},
        )

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Return the permission to look: the only one that a group can be given."""
        return view_permission(self.model)

    def get_urlpatterns(self) -> list[URLPattern]:
        """Return the URLs of the listing and of one row."""
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("<int:pk>/", self.inspect_view, name="inspect"),
        ]


class RecordURLFinder(ModelAdminURLFinder):
    """Leads to the page of a record, for those who may look at it."""

    inspect_url_name = ""

    def get_edit_url(self, instance: Model) -> str | None:
        """Return the address of the row's page for those who may look at it; else None."""
        if self.user and not may_view(self.user, type(instance)):
            return None
        return self.construct_edit_url(instance)

    def construct_edit_url(self, instance: Model) -> str:
        """Return the address of the row's page."""
        return reverse(self.inspect_url_name, args=(quote(instance.pk),))
