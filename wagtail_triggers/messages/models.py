"""Templates that editors write, their frozen versions, and the ledger of messages."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from modelcluster.models import ClusterableModel
from wagtail.contrib.settings.models import BaseSiteSetting
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    TranslatableMixin,
    WorkflowMixin,
)
from wagtail.search import index

from .blocks.field import BodyField
from .look_models import BrandLook
from .other_bodies import OtherBodies, OtherSources
from .report_models import MessageEvent as MessageEvent
from .trial_models import Trial as Trial

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class MessageClass(models.TextChoices):
    """What the law and the person think of a message."""

    MARKETING = "marketing", _("Marketing")
    TRANSACTIONAL = "transactional", _("Transactional (order, shipping, account)")


class TriggersSettings(  # type: ignore[django-manager-missing]  # of ParentalKeys
    PreviewableMixin, BrandLook, BaseSiteSetting, ClusterableModel
):
    """Who writes, how often and when, per site: in the admin under Settings > Triggers."""

    sender_name = models.CharField(
        _("sender name"), max_length=128, blank=True, help_text=_("Empty: the site's name.")
    )
    sender_email = models.EmailField(
        _("sender address"),
        blank=True,
        help_text=_("Empty: WAGTAIL_TRIGGERS_FROM_EMAIL or DEFAULT_FROM_EMAIL."),
    )
    reply_to = models.EmailField(_("reply address"), blank=True)
    postal_address = models.TextField(
        _("postal address"),
        blank=True,
        help_text=_(
            "The law wants it in every marketing mail. Empty: WAGTAIL_TRIGGERS_POSTAL_ADDRESS."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_("For people whose own is not known. Empty: TIME_ZONE of the project."),
    )
    sending_on = models.BooleanField(
        _("sending is on"),
        default=True,
        help_text=_("Switch off to hold every run, message and job of this site at once."),
    )
    #: Three, since a series for a forgotten cart is three letters in a week: one series fits, and
    #: a second campaign beside it has to wait.
    weekly_limit = models.PositiveSmallIntegerField(
        _("marketing messages in 7 days"),
        null=True,
        blank=True,
        default=3,
        validators=[MinValueValidator(1)],
        help_text=_(
            "What one person gets at most, on all channels together. What is over it waits until "
            "it fits. Empty: no limit."
        ),
    )
    quiet_spread_minutes = models.PositiveSmallIntegerField(
        _("minutes to spread over"),
        default=30,
        validators=[MaxValueValidator(240)],
        help_text=_("What quiet hours have held leaves within so many minutes after their end."),
    )
    digest_template = models.ForeignKey(
        "wagtail_triggers.Template",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        limit_choices_to={"event": "digest", "message_class": MessageClass.MARKETING},
        verbose_name=_("digest template"),
        help_text=_(
            "Where several messages of one topic wait for one person, they become one of these. It "
            "must be written for “Digest of several messages”. Empty: they leave one by one."
        ),
    )

    class Meta:
        verbose_name = _("triggers")

    @property
    def preview_modes(self) -> list[tuple[str, StrOrPromise]]:
        """What Wagtail's preview panel offers."""
        return [("light", _("By day")), ("dark", _("In the dark"))]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """Show a made-up mail in the look that is being chosen."""
        from .look_preview import serve_look  # rendering needs these models

        return serve_look(self, request, mode_name)


class Template(
    PreviewableMixin,
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    TranslatableMixin,
    OtherBodies,
    index.Indexed,
    ClusterableModel,
):
    """A message as an editor writes it. Publishing compiles it to a `TemplateVersion`."""

    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", verbose_name=_("site")
    )
    name = models.CharField(_("name"), max_length=255)
    message_class = models.CharField(
        _("kind of message"),
        max_length=16,
        choices=MessageClass.choices,
        default=MessageClass.MARKETING,
        help_text=_("Marketing needs consent and carries an unsubscribe link."),
    )
    topic = models.ForeignKey(
        "wagtail_triggers.Topic",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("topic"),
        help_text=_("What the recipient has subscribed to. Needed for marketing."),
    )
    event = models.CharField(
        _("written for"),
        max_length=64,
        blank=True,
        help_text=_("The event whose data the text may use. Empty: any event."),
    )
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    preheader = models.CharField(
        _("preview text"),
        max_length=255,
        blank=True,
        help_text=_("Shown after the subject in an inbox."),
    )
    body: Any = BodyField(verbose_name=_("body"), blank=True)
    follow = models.BooleanField(
        _("also for people already on their way"),
        default=False,
        help_text=_(
            "Whoever is in the middle of a journey when this is published gets the new text too. "
            "Otherwise they get the text as it was when they began."
        ),
    )
    live_version = models.ForeignKey(
        "wagtail_triggers.TemplateVersion",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    #: Why the last publication did not take effect; empty where it did.
    publish_problem = models.TextField(blank=True, editable=False)

    name.required_on_save = True  # type: ignore[attr-defined]  # Wagtail reads it off the field

    search_fields = (
        index.SearchField("name"),
        index.AutocompleteField("name"),
        index.FilterField("locale"),
        index.FilterField("message_class"),
    )

    class Meta(TranslatableMixin.Meta):
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ("name",)
        permissions = (
            ("use_raw_mjml", _("Can write raw MJML")),
            ("send_test", _("Can send test messages")),
        )

    def __str__(self) -> str:
        return self.name

    def copy_for_translation(self, locale: Any, exclude_fields: Any = None) -> Template:
        """Return an unsaved draft in another language: what is published of this one is not its."""
        copy: Template = super().copy_for_translation(
            locale, exclude_fields=[*(exclude_fields or ()), "live_version", "publish_problem"]
        )
        copy.live, copy.has_unpublished_changes = False, True
        copy.live_revision = copy.latest_revision = None
        copy.first_published_at = copy.last_published_at = None
        return copy

    @property
    def preview_modes(self) -> list[tuple[str, StrOrPromise]]:
        """What Wagtail's preview panel offers."""
        return [
            ("html", _("Mail")),
            ("phone", _("Mail on a phone")),
            ("dark", _("Mail in the dark")),
            ("text", _("Plain text")),
            ("sms", _("SMS")),
            ("push", _("Push")),
            ("onsite", _("On the shop's pages")),
        ]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """Answer Wagtail's preview panel."""
        from .preview_page import serve_preview  # rendering needs these models

        return serve_preview(self, request, mode_name)


class TemplateVersion(OtherSources):
    """A published template, compiled and frozen. Messages point here, never to a revision."""

    wagtail_reference_index_ignore = True

    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    language = models.CharField(max_length=35)
    message_class = models.CharField(max_length=16, choices=MessageClass.choices)
    topic = models.ForeignKey(
        "wagtail_triggers.Topic", null=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Liquid sources, laid out and inlined.
    subject = models.TextField()
    preheader = models.TextField(blank=True)
    html = models.TextField()
    text = models.TextField()
    digest = models.CharField(max_length=64)
    #: What must be looked up for each recipient: by the name under which the sources see it.
    data = models.JSONField(default=dict)
    #: The look that it was compiled with, to know versions that a new look has not reached.
    look = models.CharField(max_length=64, blank=True)
    #: Whether people who began before it was published get it too.
    follow = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        constraints = (
            models.UniqueConstraint(
                fields=["template", "number"], name="triggers_template_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.template_id} v{self.number}"


class Message(models.Model):
    """A committed intent to tell one person one thing. It ends in exactly one terminal state."""

    wagtail_reference_index_ignore = True

    class State(models.TextChoices):
        """Where the message is. `engine.md` of the docs draws the transitions."""

        PLANNED = "planned", _("planned")
        CLAIMED = "claimed", _("claimed by a sender")
        SENDING = "sending", _("being handed over")
        RETRY = "retry_at", _("will be tried again")
        DEFERRED = "deferred", _("deferred")
        UNKNOWN = "unknown", _("outcome not known yet")
        ACCEPTED = "accepted", _("accepted by the provider")
        FAILED = "failed", _("refused by the provider")
        SKIPPED = "skipped", _("not sent")
        EXPIRED = "expired", _("too late to send")
        CANCELLED = "cancelled", _("cancelled")
        MERGED = "merged", _("merged into a digest")
        UNKNOWN_PARKED = "unknown_parked", _("outcome unknown, not repeated")

    #: A sender looks at these once `due_at` has come.
    WAITING = (State.PLANNED, State.RETRY, State.DEFERRED, State.UNKNOWN)
    TERMINAL = (
        State.ACCEPTED,
        State.FAILED,
        State.SKIPPED,
        State.EXPIRED,
        State.CANCELLED,
        State.MERGED,
        State.UNKNOWN_PARKED,
    )

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey(
        "wagtailcore.Site", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    contact = models.ForeignKey(
        "wagtail_triggers.Contact",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("contact"),
        db_index=False,
    )
    #: The run that planned it. Rows above; guards come from there through a registry.
    enrolment = models.ForeignKey(
        "wagtail_triggers.Enrolment",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    #: The step of the run's graph that planned it, and the version that the graph was of: the run
    #: may have been moved to another since.
    node = models.CharField(max_length=64, blank=True)
    journey_version = models.ForeignKey(
        "wagtail_triggers.JourneyVersion",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    #: The event that began the run: what the message is about.
    event = models.ForeignKey(
        "wagtail_triggers.Event",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    template_version = models.ForeignKey(
        TemplateVersion, on_delete=models.PROTECT, related_name="+", verbose_name=_("template")
    )
    channel = models.CharField(_("channel"), max_length=32)
    message_class = models.CharField(_("kind"), max_length=16, choices=MessageClass.choices)
    topic = models.ForeignKey(
        "wagtail_triggers.Topic", null=True, on_delete=models.PROTECT, related_name="+"
    )
    priority = models.SmallIntegerField(default=0)
    idempotency_key = models.CharField(max_length=200, unique=True)
    #: The object that the message is about, such as `cart` and `12`; guards look at its state.
    subject_kind = models.CharField(max_length=32, blank=True)
    subject_id = models.CharField(max_length=128, blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.PLANNED
    )
    #: Why it is in this state: the rule that stopped it, or what the provider said.
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    #: When a sender should look at it; NULL while somebody holds it and after its end.
    due_at = models.DateTimeField(_("due"), null=True)
    #: `due_at` as it was before a pause or a switch held it.
    held_due_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    #: Resolved at each claim; frozen with the bytes at the first ambiguous attempt.
    address = models.CharField(_("address"), max_length=320, blank=True)
    address_hash = models.CharField(max_length=64, blank=True)
    #: Attempts whose outcome nobody knows. From the first on, address and context are frozen.
    ambiguous = models.PositiveSmallIntegerField(default=0)
    token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: Workers that died with it in their hands.
    tries = models.PositiveSmallIntegerField(default=0)
    provider_id = models.CharField(max_length=255, blank=True)
    provider_status = models.CharField(max_length=64, blank=True)
    #: What it was rendered from, so that it can be shown as it was sent.
    context = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    body_hash = models.CharField(max_length=64, blank=True)
    depth = models.PositiveSmallIntegerField(default=0)
    #: The digest that it became a part of.
    merged_into = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    #: What put it off, oldest first: state, reason, when, until when, how often in a row.
    trail = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    planned_at = models.DateTimeField(_("planned"))
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = (
            models.Index(
                fields=["message_class", "due_at"],
                name="triggers_message_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["lease_until"],
                name="triggers_message_lease",
                condition=models.Q(lease_until__isnull=False),
            ),
            models.Index(
                fields=["journey_version", "held_due_at"],
                name="triggers_message_held",
                condition=models.Q(held_due_at__isnull=False),
            ),
            models.Index(fields=["contact", "planned_at"], name="triggers_message_contact"),
            models.Index(fields=["enrolment"], name="triggers_message_run"),
            # What still competes for a person's slots, however much was sent to them.
            models.Index(
                fields=["contact"],
                name="triggers_message_waiting",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["merged_into"],
                name="triggers_message_digest",
                condition=models.Q(merged_into__isnull=False),
            ),
            # What has left since the last count; a message is accepted once.
            models.Index(
                fields=["settled_at"],
                name="triggers_message_sent",
                condition=models.Q(state="accepted"),
            ),
            # What went wrong since the last count.
            models.Index(
                fields=["settled_at"],
                name="triggers_message_wrong",
                condition=models.Q(state__in=("failed", "unknown_parked")),
            ),
            # Providers that give our own id back are not looked up here.
            models.Index(
                fields=["provider_id"],
                name="triggers_message_provider",
                condition=~models.Q(provider_id=""),
            ),
        )

    def __str__(self) -> str:
        return self.subject or str(self.public_id)


class RateBucket(models.Model):
    """What a channel's account may still send at this moment: one row, shared by all workers."""

    wagtail_reference_index_ignore = True

    name = models.CharField(max_length=64, unique=True)
    #: Below zero where messages that never wait have run ahead of the limit.
    tokens = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("sending limit")
        verbose_name_plural = _("sending limits")

    def __str__(self) -> str:
        return f"{self.name}: {self.tokens:g}"


class Circuit(models.Model):
    """How the last attempts through a channel's account went: one row, shared by all workers."""

    wagtail_reference_index_ignore = True

    name = models.CharField(max_length=64, unique=True)
    #: One letter for each of the last attempts, the newest last: "x" failed, "." did not.
    recent = models.CharField(max_length=32, blank=True)
    #: Until when no marketing is tried, and until when nothing is; NULL: it may leave.
    bulk_until = models.DateTimeField(null=True)
    all_until = models.DateTimeField(null=True)
    #: How often it has opened since it last worked.
    openings = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")

    def __str__(self) -> str:
        return f"{self.name} {self.recent}"
