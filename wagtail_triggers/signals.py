"""Signals that wagtail_triggers sends to the host. Between our own rooms, functions are called."""

from __future__ import annotations

from django.dispatch import Signal

#: A mapping in a host's `triggers.py` failed; the host's own work went on.
#: Arguments: `mapping` (dotted name), `event` (event name), `error` (the exception).
mapping_failed = Signal()

#: A journey has paused itself. Sent outside any transaction.
#: Arguments: `journey`, and `reason` (a sentence in English).
journey_stopped = Signal()
