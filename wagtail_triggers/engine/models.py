"""Enrolment and its log: where everybody is, and how they got there."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from .refusal_models import Refusal as Refusal


class Enrolment(models.Model):
    """One person's run through one version of a journey."""

    wagtail_reference_index_ignore = True

    class State(models.TextChoices):
        """Where the run is."""

        ACTIVE = "active", _("active")
        PARKED = "parked", _("parked: needs an editor")
        COMPLETED = "completed", _("completed")
        EXITED = "exited", _("left early")
        CONVERTED = "converted", _("reached the goal")

    #: States that hold the slot of `(journey, contact, key)`.
    ALIVE = (State.ACTIVE, State.PARKED)

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    journey = models.ForeignKey(
        "wagtail_triggers.Journey",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("journey"),
        db_index=False,
    )
    version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("version"),
    )
    contact = models.ForeignKey(
        "wagtail_triggers.Contact",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("contact"),
        db_index=False,
    )
    #: The object that the run is about, such as `cart:12`; empty where it is about the person.
    key = models.CharField(_("about"), max_length=160, blank=True)
    #: 1 while alive, NULL once ended: one live run per key, on every database.
    active_slot = models.PositiveSmallIntegerField(null=True, default=1)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.ACTIVE)
    #: Why it was parked or ended.
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    event = models.ForeignKey(
        "wagtail_triggers.Event",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("started by"),
        db_index=False,
    )
    refs = models.JSONField(default=list)
    node = models.CharField(_("step"), max_length=64)
    seq = models.PositiveIntegerField(default=0)
    entered_at = models.DateTimeField(_("entered"))
    arrived_at = models.DateTimeField()
    #: When to look again; NULL when the run does not wait for time.
    wake_at = models.DateTimeField(_("next step"), null=True)
    #: `wake_at` as it was before a pause or a switch held it.
    held_wake_at = models.DateTimeField(null=True)
    #: Since when it is due, where it was or will be let go later: what it sends is as old as this.
    due_since = models.DateTimeField(null=True)
    #: How long the clocks stood still at this step.
    stood_still = models.DurationField(default=timedelta)
    #: Whether the step has been asked and stays: asking it again is no new decision.
    waiting = models.BooleanField(default=False)
    #: When the run last planned a message.
    last_message_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    depth = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = (
            models.UniqueConstraint(
                fields=["journey", "contact", "key", "active_slot"], name="triggers_run_once"
            ),
        )
        indexes = (
            models.Index(fields=["wake_at"], name="triggers_run_wake"),
            models.Index(fields=["contact", "state"], name="triggers_run_contact"),
            models.Index(fields=["journey", "state"], name="triggers_run_journey"),
            models.Index(
                fields=["journey", "held_wake_at"],
                name="triggers_run_held",
                condition=models.Q(held_wake_at__isnull=False),
            ),
            # What has ended since the last count; a run ends once.
            models.Index(
                fields=["ended_at"],
                name="triggers_run_ended",
                condition=models.Q(ended_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.journey_id}/{self.contact_id} {self.key}".strip()


class StepRun(models.Model):
    """One decision of one step, as it was taken."""

    wagtail_reference_index_ignore = True

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="steps", db_index=False
    )
    seq = models.PositiveIntegerField()
    #: The version whose step it was; a run may have been moved to another since.
    version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    node = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    #: `transfer`, or `advance`, `act`, `wait`, `wait_for`, `send`, `ask`, `exit`, `park`.
    decision = models.CharField(max_length=16)
    port = models.CharField(max_length=32, blank=True)
    detail = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        constraints = (
            models.UniqueConstraint(fields=["enrolment", "seq"], name="triggers_step_once"),
        )

    def __str__(self) -> str:
        return f"{self.enrolment_id}#{self.seq} {self.node}"


class Job(models.Model):
    """Something that a step wants to have done outside: a coupon, a call, a person's decision.

    Like a message it is a committed intent, and ends in exactly one terminal state.
    """

    wagtail_reference_index_ignore = True

    class State(models.TextChoices):
        """Where the job is."""

        PLANNED = "planned", _("planned")
        CLAIMED = "claimed", _("claimed by a worker")
        WORKING = "working", _("under way")
        #: Only a person can settle it.
        OPEN = "open", _("waits for a person")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    #: A step that asked for it has no answer yet.
    PENDING = (State.PLANNED, State.CLAIMED, State.WORKING, State.OPEN)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey("wagtailcore.Site", on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(
        "wagtail_triggers.Contact",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("contact"),
    )
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="jobs", db_index=False
    )
    seq = models.PositiveIntegerField()
    node = models.CharField(_("step"), max_length=64)
    #: Which kind of job (`engine.jobs.registry`).
    kind = models.CharField(_("kind"), max_length=32)
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    #: By what it is known outside, such as a coupon's code. Committed before anybody hears of it.
    reference = models.CharField(max_length=128, null=True, unique=True)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.PLANNED
    )
    result = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    #: When a worker should look at it; NULL while one holds it, while a person has it, and after.
    due_at = models.DateTimeField(_("due"), null=True, db_index=True)
    #: `due_at` as it was before a pause or a switch held it.
    held_due_at = models.DateTimeField(null=True)
    #: Until when an answer is of use; the run goes on without it then.
    deadline = models.DateTimeField(_("deadline"), null=True)
    token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Workers that died with it in their hands.
    tries = models.PositiveSmallIntegerField(default=0)
    depth = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(_("asked for"))
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = (
            models.UniqueConstraint(fields=["enrolment", "seq"], name="triggers_job_once"),
        )
        indexes = (models.Index(fields=["kind", "state"], name="triggers_job_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class TaskManager(models.Manager["Task"]):
    """The jobs that are tasks."""

    def get_queryset(self) -> models.QuerySet[Task]:
        """Return them."""
        return super().get_queryset().filter(kind=Task.KIND)


class Task(Job):
    """A job that only a person can settle: somebody of the staff decides how the run goes on."""

    #: What the step and the kind of job are called.
    KIND = "human_task"

    objects: ClassVar[TaskManager] = TaskManager()

    class Meta:
        proxy = True
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        permissions = (("decide_task", _("Can decide tasks")),)

    def __str__(self) -> str:
        return str(self.data.get("title") or self.public_id)


class BatchAttempt(models.Model):
    """What a worker is about to touch, committed before it decides. A crash leaves it behind."""

    wagtail_reference_index_ignore = True

    class Kind(models.TextChoices):
        """What the ids are."""

        RUNS = "runs", _("runs")
        CONTACTS = "contacts", _("contacts with events")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    ids = models.JSONField()
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("batch attempt")
        verbose_name_plural = _("batch attempts")

    def __str__(self) -> str:
        return f"{self.kind} {len(self.ids)}"


class Conversion(models.Model):
    """A goal that was reached, with its run."""

    wagtail_reference_index_ignore = True

    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="conversion")
    event = models.ForeignKey(
        "wagtail_triggers.Event",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("conversion")
        verbose_name_plural = _("conversions")

    def __str__(self) -> str:
        return f"{self.enrolment_id} {self.amount or ''}".strip()


class Switch(models.Model):
    """Somebody's decision to hold a journey's or a site's rows, or to let them go.

    Rows follow in chunks, and whoever finds it open goes on with it.
    """

    wagtail_reference_index_ignore = True

    class Kind(models.TextChoices):
        """Which way."""

        HOLD = "hold", _("hold")
        RELEASE = "release", _("let go")

    class Clocks(models.TextChoices):
        """What becomes of waits that were held."""

        RUN = "run", _("Clocks kept running: what fell due meanwhile is due")
        STAND = "stand", _("Clocks stood still: everybody waits as long as was left")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    site = models.ForeignKey("wagtailcore.Site", on_delete=models.CASCADE, related_name="+")
    #: NULL where it is about the whole site.
    journey = models.ForeignKey(
        "wagtail_triggers.Journey", null=True, on_delete=models.CASCADE, related_name="+"
    )
    clocks = models.CharField(max_length=8, choices=Clocks.choices, default=Clocks.RUN)
    #: When what is let go was held.
    held_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField()
    #: Overdue rows that were let go so far: the place of the next one in the ramp.
    released = models.PositiveIntegerField(default=0)
    #: Set once every row has followed, or another decision has taken its place.
    done_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name = _("switch")
        verbose_name_plural = _("switches")

    def __str__(self) -> str:
        return f"{self.kind} {self.journey_id or f'site {self.site_id}'}"


class Transfer(models.Model):
    """What shall become of people on earlier versions of a journey, step by step."""

    wagtail_reference_index_ignore = True

    journey = models.ForeignKey(
        "wagtail_triggers.Journey", on_delete=models.CASCADE, related_name="transfers"
    )
    #: Where people are moved to; NULL where everybody is taken out.
    to_version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Whether letters are taken back that were planned by steps which the version has no more.
    cancels_unsent = models.BooleanField(default=False)
    made_at = models.DateTimeField(_("decided"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    #: Set once nobody is left to whom a rule applies, or another transfer has taken its place.
    done_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")

    def __str__(self) -> str:
        return f"{self.journey_id} -> {self.to_version_id}"


class TransferRule(models.Model):
    """What becomes of those who stand at one step of one earlier version."""

    wagtail_reference_index_ignore = True

    class Policy(models.TextChoices):
        """The four answers."""

        STAY = "stay", _("Stay on their version")
        MOVE = "move", _("Move to the new one")
        SKIP = "skip", _("Move past this step")
        EXIT = "exit", _("Leave the journey")

    class Clock(models.TextChoices):
        """From when a wait counts for those who are moved."""

        KEEP = "keep", _("Count from arrival")
        RESTART = "restart", _("Begin anew")

    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="rules")
    #: NULL: every version.
    version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Empty: every step.
    node = models.CharField(max_length=64, blank=True)
    policy = models.CharField(max_length=8, choices=Policy.choices)
    #: The step of the new version at which they go on.
    target = models.CharField(max_length=64, blank=True)
    clock = models.CharField(max_length=8, choices=Clock.choices, default=Clock.KEEP)
    #: How many stood there when it was decided, and to how many it was done.
    counted = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("rule of a transfer")
        verbose_name_plural = _("rules of transfers")
        constraints = (
            models.UniqueConstraint(
                fields=["transfer", "version", "node"], name="triggers_transfer_rule"
            ),
        )

    def __str__(self) -> str:
        return f"{self.version_id}/{self.node}: {self.policy}"


class Pulse(models.Model):
    """What one batch did for a journey: appended, never changed, summed up by the breaker."""

    wagtail_reference_index_ignore = True

    journey = models.ForeignKey(
        "wagtail_triggers.Journey",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    at = models.DateTimeField()
    runs = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    bounces = models.PositiveIntegerField(default=0)
    complaints = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")
        indexes = (models.Index(fields=["at"], name="triggers_pulse_at"),)

    def __str__(self) -> str:
        return f"{self.journey_id} {self.runs}/{self.errors}"


class Sweep(models.Model):
    """How far a sweep that empties rows, instead of deleting them, has come in a table."""

    wagtail_reference_index_ignore = True

    table = models.CharField(max_length=64, unique=True)
    #: The highest primary key that was looked at.
    reached = models.BigIntegerField()
    swept_at = models.DateTimeField()

    class Meta:
        verbose_name = _("sweep")
        verbose_name_plural = _("sweeps")

    def __str__(self) -> str:
        return f"{self.table} {self.reached}"
