"""The same news twice: once for wagtail_triggers, once for the mail that a shop would write."""

from __future__ import annotations

from django.dispatch import Signal

#: Mapped in `triggers.py`.
order_placed = Signal()
#: Received in `mails.py`.
order_placed_plainly = Signal()
#: Mapped in `triggers.py` by a function that finds nothing in it.
seen = Signal()
#: Received in `mails.py` by a function that does nothing.
seen_plainly = Signal()
