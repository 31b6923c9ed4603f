"""What put a message off on its way: kept on the message itself, and only where anything did.

Planned and settled have columns of their own, so a message that simply leaves writes nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from ..core.bulk import update_rows
from .models import Message
from .outcomes import Settlement

#: Of more the first and the newest are kept.
LONGEST: Final = 40


def longer(row: Message, new: Settlement, moment: datetime) -> list[dict[str, Any]]:
    """Return the message's trail with this settlement; what repeats itself is counted."""
    until = new.due_at or new.held_due_at
    entry: dict[str, Any] = {
        "state": str(new.state),
        "reason": str(new.reason),
        "at": moment.isoformat(),
        "until": until.isoformat() if until is not None else None,
        "times": 1,
    }
    trail = list(row.trail or ())
    last = trail[-1] if trail else None
    if last is not None and (last["state"], last["reason"]) == (entry["state"], entry["reason"]):
        entry["at"], entry["times"] = last["at"], int(last.get("times", 1)) + 1
        trail[-1] = entry
    else:
        trail.append(entry)
    return trail if len(trail) <= LONGEST else [trail[0], *trail[-LONGEST + 1 :]]


def note(row: Message, new: Settlement, moment: datetime) -> None:
    """Put a settlement into a row's trail; does not save."""
    row.trail = longer(row, new, moment)
    row.trail_changed = True  # type: ignore[attr-defined]  # for `keep`, within this batch


def keep(rows: Iterable[Message]) -> None:
    """Save the trails that were noted; one statement, or none."""
    changed = [row for row in rows if getattr(row, "trail_changed", False)]
    update_rows(Message, changed, ["trail"])
    for row in changed:
        row.trail_changed = False  # type: ignore[attr-defined]
