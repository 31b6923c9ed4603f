"""The listing of journeys: how each stands, what it did, and thirty days of letters in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import cached_property
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin.ui.tables import Column, NumberColumn

from ..analytics.rollups import Numbers, numbers
from ..core import clock
from ..journeys.models import Journey
from .bundles import export_buttons, start_buttons
from .columns import MINOR, ToneColumn
from .publication import PublicationIndexView
from .states import explained, tone
from .switching import switch_buttons

#: Days of the little chart.
DAYS: Final = 30
#: Its measures, in its own units: bars with a gap of one between them.
BAR, GAP, HEIGHT = 3, 1, 28


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. The lowest one is still seen."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Spark:
    """A chart of days in one line, as numbers for an SVG."""

    bars: tuple[Bar, ...]
    width: int
    words: str
    height: int = HEIGHT
    bar: int = BAR


def spark(days: Sequence[int]) -> Spark:
    """Return the chart of so many letters a day, the oldest first."""
    highest = max(days, default=0)
    bars = tuple(
        Bar(place * (BAR + GAP), HEIGHT - tall, tall)
        for place, count in enumerate(days)
        if count
        for tall in (max(2.0, round(count / highest * HEIGHT, 1)),)
    )
    width = len(days) * (BAR + GAP) - GAP
    sent = sum(days)
    words = ngettext(
        "%(n)d message in the last %(days)d days, %(most)d on the busiest",
        "%(n)d messages in the last %(days)d days, %(most)d on the busiest",
        sent,
    ) % {"n": sent, "days": len(days), "most": highest}
    return Spark(bars, max(0, width), words)


class SparkColumn(Column):
    """Thirty days of letters."""

    cell_template_name = "wagtail_triggers/admin/tables/spark_cell.html"

    class Media:
        css = {"all": ["wagtail_triggers/admin/answers.css"]}

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Return the context of a cell."""
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["spark"] = spark(instance.numbers.days)
        return context


class StandingColumn(ToneColumn):
    """How a journey stands: whether it runs, and what stopped it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("standing", label=_("State"), sort_key="state", **kwargs)

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Return the context of a cell, with the reason of one that has stopped itself."""
        context = super().get_cell_context_data(instance, parent_context)
        context["reason"] = explained(instance.pause_reason) if instance.pause_reason else ""
        return context


def standing(journey: Journey) -> tuple[str, str]:
    """Return words and colour for how a journey stands."""
    if journey.publish_problem:
        return _t("published with errors"), "critical"
    if journey.state == Journey.State.PAUSED and journey.pause_reason:
        return _t("has stopped itself"), "critical"
    if journey.state == Journey.State.RUNNING and not journey.live:
        return _t("not published"), "neutral"
    return str(journey.get_state_display()), tone(journey.state)


class JourneyIndexView(PublicationIndexView):
    """The listing; the numbers of a whole page are seven queries."""

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give every journey of the page its numbers."""
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        rows = list(context["object_list"])
        counted = numbers([journey.pk for journey in rows], clock.now(), days=DAYS)
        for journey in context["object_list"]:
            journey.numbers = counted.get(journey.pk, Numbers())
            journey.standing = standing(journey)
        return context

    @cached_property
    def header_buttons(self) -> list[Any]:
        """Return "Add journey" and, for those who may, "Start from a recipe"."""
        inherited = PublicationIndexView.header_buttons.func(self)
        return [*inherited, *start_buttons(self.request.user)]

    def get_list_more_buttons(self, instance: Journey) -> list[Any]:
        """Return Wagtail's buttons, "Pause" or "Resume", its letters, and "Export"."""
        return [
            *super().get_list_more_buttons(instance),
            *switch_buttons(self.request.user, instance),
            *export_buttons(self.request.user, instance),
        ]


#: What stands in the listing between the name and the last change.
NUMBER_COLUMNS: Final = (
    StandingColumn(),
    NumberColumn("entered", label=_("Entered"), accessor="numbers.entered", classname=MINOR),
    NumberColumn("active", label=_("Under way"), accessor="numbers.active"),
    NumberColumn("sent", label=_("Sent"), accessor="numbers.sent"),
    NumberColumn("converted", label=_("Converted"), accessor="numbers.converted", classname=MINOR),
    SparkColumn("spark", label=_("30 days"), classname=MINOR),
)
