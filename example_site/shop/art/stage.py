"""Where a thing stands: wall, light, table."""

from __future__ import annotations

from .easel import Easel, box, mixed, oval, toned

#: y of the table's edge, and of the foot of everything that stands on it.
TABLE = 760
FOOT = 832


def stage(easel: Easel, wall: str, disc: str, *, cx: float = 500) -> None:
    """Paint the wall, a disc of light behind the thing, and the table."""
    width = easel.width
    easel.shape(box(0, 0, width, 1000), wall, light=((0, 1.06), (1, 0.97)))
    easel.shape(oval(cx, 470, 372, 372), disc)
    board = mixed(toned(wall, 0.9), "#d8bb94", 0.42)
    easel.shape(box(0, TABLE, width, 1000), board, light=((0, 1.05), (1, 0.96)))
    easel.shape(box(0, TABLE, width, TABLE + 6), toned(board, 0.9))
