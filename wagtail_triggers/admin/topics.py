"""Topics: what people subscribe to."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic import IndexView
from wagtail.admin.viewsets.model import ModelViewSet

from ..consent.models import Topic
from .deletion import KeptModelDeleteView
from .forms import SiteForm
from .permissions import visible


class TopicIndexView(IndexView):
    """The topics of the sites that the reader serves."""

    def get_base_queryset(self) -> QuerySet[Topic]:
        """Return them."""
        return visible(self.request.user, super().get_base_queryset())


class TopicViewSet(ModelViewSet):
    """Triggers > Topics."""

    model = Topic
    icon = "tag"
    url_prefix = "triggers/topics"
    url_namespace = "triggers_topics"
    index_view_class = TopicIndexView
    delete_view_class = KeptModelDeleteView
    copy_view_enabled = False
    edit_handler = ObjectList(
        [
            FieldPanel("name"),
            FieldPanel("slug"),
            FieldPanel("description"),
            FieldPanel("consent"),
            FieldPanel("site"),
        ],
        base_form_class=SiteForm,
    )
    list_display = (
        "name",
        Column("slug", label=_("Identifier")),
        Column("consent", label=_("Needs"), accessor="get_consent_display"),
    )
    ordering = ("name",)
