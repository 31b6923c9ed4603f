"""Journey, which editors draw, and JourneyVersion, which people run on."""

from __future__ import annotations

import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from modelcluster.models import ClusterableModel
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    WorkflowMixin,
)
from wagtail.search import index


class Journey(
    PreviewableMixin,
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    index.Indexed,
    ClusterableModel,
):
    """A plan: what starts it, what is said when, and what ends it."""

    class State(models.TextChoices):
        """Whether the engine carries the live version out."""

        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        ARCHIVED = "archived", _("archived")

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", verbose_name=_("site")
    )
    #: By which other journeys and files name it: the same in every database that it comes to.
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("what it is for"), blank=True)
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        help_text=_(
            "Where two journeys want to write to one person, the higher number goes first."
        ),
    )
    graph = models.JSONField(_("steps"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.RUNNING, editable=False
    )
    live_version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    #: Why the last publication did not take effect; empty where it did.
    publish_problem = models.TextField(blank=True, editable=False)
    #: Since when it is paused; NULL while it is not.
    paused_at = models.DateTimeField(null=True, editable=False)
    #: Why it has paused itself; empty where a person paused it, and while it runs.
    pause_reason = models.CharField(max_length=255, blank=True, editable=False)
    #: When it was last let go on: what happened before that is no reason to pause it again.
    resumed_at = models.DateTimeField(null=True, editable=False)

    name.required_on_save = True  # type: ignore[attr-defined]  # Wagtail reads it off the field

    search_fields = (index.SearchField("name"), index.AutocompleteField("name"))

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """Answer Wagtail's preview panel with the outline."""
        from .preview import serve_preview  # the outline needs these models

        return serve_preview(self, request)


class JourneyVersion(models.Model):
    """A published graph, frozen. People in flight are pinned to one; never to a revision."""

    wagtail_reference_index_ignore = True

    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    graph = models.JSONField(encoder=DjangoJSONEncoder)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name = _("journey version")
        verbose_name_plural = _("journey versions")
        constraints = (
            models.UniqueConstraint(fields=["journey", "number"], name="triggers_journey_version"),
        )

    def __str__(self) -> str:
        return f"{self.journey_id} v{self.number}"


class Standing(models.Model):
    """How a journey stood from a moment on: one row appended with every change of it.

    Without it nobody could say later why somebody did not enter on a certain day.
    """

    wagtail_reference_index_ignore = True

    class State(models.TextChoices):
        """Whether people could enter."""

        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        ARCHIVED = "archived", _("archived")
        UNPUBLISHED = "unpublished", _("not published")

    journey = models.ForeignKey(
        Journey, on_delete=models.CASCADE, related_name="standings", db_index=False
    )
    state = models.CharField(_("state"), max_length=16, choices=State.choices)
    #: What people who entered then were pinned to.
    version = models.ForeignKey(
        JourneyVersion, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: Why, in English, where it was not a person who decided it.
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("standing of a journey")
        verbose_name_plural = _("standings of journeys")
        indexes = (models.Index(fields=["journey", "at"], name="triggers_standing"),)

    def __str__(self) -> str:
        return f"{self.journey_id} {self.state}"
