"""Send a template to staff, to see it where it will be read.

A trial goes through the real channel, and through nothing else: no contact, no consent, no cap, no
journey. So it goes to addresses of staff only, under a key that no message of the ledger can have.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ..conf import settings
from ..core import clock
from ..core.locking import locked
from ..exceptions import TemplateProblem, TriggersError
from .branding import sender_of
from .channels.base import Outcome, OutcomeKind, Outgoing, get_channel
from .headers import HeaderProblem, ascii_address, build_headers, message_id_for
from .models import Template, Trial
from .other_bodies import MAIL, SOURCE_OF
from .preview import Preview, preview
from .readers import Reader

logger = logging.getLogger("wagtail_triggers.trials")

#: Within which `TESTS_PER_HOUR` counts.
WINDOW: Final = timedelta(hours=1)
#: Stands before the subject, in every language.
MARK: Final = "[Test]"
TIMED_OUT: Final = gettext_noop("The provider did not say whether it took the message.")
REFUSED: Final = gettext_noop("The provider did not take the message.")

_STATES: Final = {
    OutcomeKind.ACCEPTED: Trial.State.ACCEPTED,
    OutcomeKind.REFUSED: Trial.State.FAILED,
    OutcomeKind.NEVER_LEFT: Trial.State.FAILED,
    OutcomeKind.AMBIGUOUS: Trial.State.UNKNOWN,
}


class TrialRefused(TriggersError):
    """The test message may not be sent there, or not now."""


def is_allowed(address: str, own: str) -> bool:
    """Say whether tests may go to an address.

    Args:
        address: Where to.
        own: The address of whoever asks, "" where they have none.
    """
    wanted = address.strip().casefold()
    if not wanted:
        return False
    patterns = {str(one).strip().casefold() for one in settings.TEST_ADDRESSES}
    mailbox, at, domain = wanted.rpartition("@")
    on_the_list = wanted in patterns or (bool(mailbox and at) and f"*@{domain}" in patterns)
    return on_the_list or wanted == own.strip().casefold()


def left_for(user: Any) -> int:
    """How many tests this user may still send within the hour."""
    since = clock.now() - WINDOW
    sent = Trial.objects.filter(user=user, created_at__gt=since).count()
    return max(0, settings.TESTS_PER_HOUR - sent)


def send_trial(
    template: Template, reader: Reader, *, channel: str, address: str, user: Any
) -> Trial:
    """Send one test message. Call it outside any transaction: it waits for the provider.

    Args:
        template: Any state of it, a draft too; saved.
        reader: With whose data.
        channel: A name in `WAGTAIL_TRIGGERS_CHANNELS`.
        address: Where to.
        user: Who asks; their rights were looked at.

    Returns:
        The trial, with what became of it.

    Raises:
        TrialRefused: The address is not allowed, too many were sent, or there is nothing to send.
    """
    if not is_allowed(address, str(getattr(user, "email", "") or "")):
        raise TrialRefused(
            _(
                "Tests go to your own address, and to those that the setting "
                "WAGTAIL_TRIGGERS_TEST_ADDRESSES names."
            )
        )
    way_out = get_channel(channel)
    shown = preview(template, reader=reader)
    outgoing = _outgoing(template, shown, channel, address)
    trial = _noted(template, reader, channel, outgoing, user)
    try:
        with way_out:
            outcome = way_out.send(_keyed(outgoing, trial))
    except Exception as error:  # a channel of a host may raise whatever it likes
        logger.exception("The channel %s raised instead of answering", channel)
        outcome = Outcome(OutcomeKind.AMBIGUOUS, detail=type(error).__name__)
    return _settled(trial, outcome)


def _outgoing(template: Template, shown: Preview, channel: str, address: str) -> Outgoing:
    if shown.problem or shown.rendered is None:
        raise TrialRefused(
            _("It cannot be rendered: %(problem)s") % {"problem": shown.problem or "?"}
        )
    source = SOURCE_OF.get(channel, MAIL)
    sender = sender_of(template.site)
    try:
        # Only a mail's address is looked at here; other channels know their own.
        clean = ascii_address(address) if "@" in address else address.strip()
        if source != MAIL:
            return _short(shown, source, clean)
        if not shown.rendered.html:
            raise TrialRefused(_("The template has no text for this channel."))
        return Outgoing(
            address=clean,
            subject=f"{MARK} {shown.rendered.subject}".strip(),
            html=shown.rendered.html,
            text=shown.rendered.text,
            from_email=sender.from_email,
            reply_to=sender.reply_to,
            headers=build_headers(
                marketing=False,
                unsubscribe_url="",
                postal_address=sender.postal_address,
                html=shown.rendered.html,
                text=shown.rendered.text,
            ),
            tags=("test",),
        )
    except (HeaderProblem, TemplateProblem) as error:
        raise TrialRefused(str(error)) from error


def _short(shown: Preview, source: str, address: str) -> Outgoing:
    text = shown.others[source]
    if not text:
        raise TrialRefused(_("The template has no text for this channel."))
    title = shown.others["push_title"] if source == "push_body" else ""
    return Outgoing(address=address, subject=f"{MARK} {title}".strip(), text=f"{MARK} {text}")


def _noted(
    template: Template, reader: Reader, channel: str, outgoing: Outgoing, user: Any
) -> Trial:
    """Write down that it is about to leave, under the lock that counts them."""
    with transaction.atomic():
        # Two clicks at once are counted one after the other.
        locked(get_user_model()._default_manager.filter(pk=user.pk)).first()
        if left_for(user) < 1:
            raise TrialRefused(
                _("You have sent %(count)d tests within an hour. Wait a while.")
                % {"count": settings.TESTS_PER_HOUR}
            )
        return Trial.objects.create(
            site_id=template.site_id,
            template=template,
            user=user,
            channel=channel,
            address=outgoing.address,
            shown_as=_kept_label(reader)[:255],
            subject=_kept_subject(template, reader, outgoing)[:255],
            created_at=clock.now(),
        )


def _kept_label(reader: Reader) -> str:
    """Who read it, without a name: a trial is kept for staff, and nobody is erased from it."""
    if reader.event is not None:
        return _("event %(id)d") % {"id": reader.event.pk}
    if reader.contact is not None:
        return _("contact %(id)d") % {"id": reader.contact.pk}
    return reader.label


def _kept_subject(template: Template, reader: Reader, outgoing: Outgoing) -> str:
    """The subject as it was sent, or as it was written where it may name somebody."""
    if reader.event is not None or reader.contact is not None:
        return f"{MARK} {template.subject}"
    return outgoing.subject


def _keyed(outgoing: Outgoing, trial: Trial) -> Outgoing:
    key = trial.idempotency_key
    message_id = message_id_for(key, outgoing.from_email) if outgoing.from_email else ""
    return replace(outgoing, idempotency_key=key, message_id=message_id, metadata={"wt_trial": key})


def _settled(trial: Trial, outcome: Outcome) -> Trial:
    trial.state = _STATES[outcome.kind]
    trial.provider_id = outcome.provider_id[:255]
    fallback = {Trial.State.FAILED: REFUSED, Trial.State.UNKNOWN: TIMED_OUT}.get(trial.state, "")
    trial.reason = (outcome.detail or fallback)[:255]
    trial.save(update_fields=["state", "reason", "provider_id"])
    return trial
