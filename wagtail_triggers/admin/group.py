"""The Triggers menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.snippets.views.snippets import SnippetViewSetGroup

from .contacts import ContactViewSet
from .doors import guard_urls
from .enrolments import EnrolmentViewSet
from .events import EventViewSet
from .journeys import JourneyViewSet
from .messages import MessageViewSet
from .tasks import TaskViewSet
from .templates import TemplateViewSet
from .topics import TopicViewSet


class TriggersGroup(SnippetViewSetGroup):
    """What is written comes first, then what it led to.

    Other apps add entries with the hook `register_triggers_menu_item`.
    """

    items = (
        JourneyViewSet,
        TemplateViewSet,
        TopicViewSet,
        ContactViewSet,
        EnrolmentViewSet,
        TaskViewSet,
        MessageViewSet,
        EventViewSet,
    )
    menu_label = _("Triggers")
    menu_icon = "triggers-journey"
    menu_name = "triggers"
    menu_order = 250
    submenu_hook = "register_triggers_menu_item"

    def __init__(self) -> None:
        super().__init__()
        for place in self.registerables:
            guard_urls(place)
