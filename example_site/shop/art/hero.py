"""The wide picture of the home page: a table at the window, the harbour outside."""

from __future__ import annotations

from PIL import Image

from . import pantry, pots, teas
from .easel import FLAT, Easel, box, oval, smooth, toned
from .emblems import boat

WALL = "#e9dfcd"
FRAME = "#f7f1e4"
SEA = "#7fa3a8"
SKY = "#dfe9e4"
BOARD = "#c99f6b"


def _tern(e: Easel, x: float, y: float, s: float) -> None:
    wing = smooth(
        [
            (x - 92 * s, y - 34 * s),
            (x - 40 * s, y - 36 * s),
            (x, y),
            (x + 44 * s, y - 40 * s),
            (x + 96 * s, y - 22 * s),
        ]
    )
    back = smooth(
        [
            (x + 96 * s, y - 22 * s),
            (x + 44 * s, y - 18 * s),
            (x, y + 18 * s),
            (x - 40 * s, y - 16 * s),
            (x - 92 * s, y - 34 * s),
        ]
    )
    e.shape(wing + back, "#fbfaf5")
    e.shape(
        smooth(
            [
                (x - 20 * s, y + 2 * s),
                (x + 14 * s, y - 6 * s),
                (x + 40 * s, y + 8 * s),
                (x + 14 * s, y + 20 * s),
            ],
            closed=True,
        ),
        "#fbfaf5",
    )
    e.shape(
        [(x + 36 * s, y + 4 * s), (x + 62 * s, y + 12 * s), (x + 36 * s, y + 14 * s)], "#d9653b"
    )


def _window(e: Easel, left: float, top: float, right: float, bottom: float) -> None:
    e.shape(box(left - 34, top - 34, right + 34, bottom + 34, 8), toned(WALL, 0.86))
    e.shape(box(left - 26, top - 26, right + 26, bottom + 26, 6), FRAME, light=FLAT)
    e.shape(box(left, top, right, bottom), SKY, light=((0, 1.3), (1, 0.98)), keep=True)
    e.shape(oval(right - 190, top + 190, 78, 78), "#f6d79b", inside=True)
    horizon = top + (bottom - top) * 0.56
    far = [
        (left, horizon - 20),
        (left + 180, horizon - 74),
        (left + 330, horizon - 40),
        (left + 520, horizon),
    ]
    e.shape([*smooth(far), (left, horizon + 10)], "#a9bcb4", inside=True)
    e.shape(box(left, horizon, right, bottom), SEA, light=((0, 1.1), (1, 0.96)), inside=True)
    for row, start, end in ((34, 0.5, 0.9), (70, 0.1, 0.4), (104, 0.62, 0.96), (150, 0.2, 0.56)):
        x0, x1 = left + (right - left) * start, left + (right - left) * end
        e.line(
            smooth([(x0, horizon + row), ((x0 + x1) / 2, horizon + row + 6), (x1, horizon + row)]),
            6,
            "#a9c3c4",
            inside=True,
        )
    boat(e, left + 250, horizon - 18, 0.62, "#f7f2e6", SEA)
    _tern(e, left + 560, top + 170, 0.9)
    _tern(e, left + 400, top + 110, 0.5)
    middle = (left + right) / 2
    e.shape(box(middle - 10, top, middle + 10, bottom), FRAME, light=FLAT)
    e.shape(box(left - 60, bottom + 14, right + 60, bottom + 50, 8), toned(FRAME, 0.95))


def paint_hero(size: int = 800) -> Image.Image:
    """Return the picture, twice as wide as high; ``size`` is its height in pixels."""
    e = Easel(size, wide=2)
    e.shape(box(0, 0, 2000, 1000), WALL, light=((0, 0.98), (0.6, 1.12), (1, 1.0)))
    _window(e, 820, 96, 1720, 640)
    e.shape(box(0, 800, 2000, 1000), BOARD, light=((0, 0.94), (0.6, 1.08), (1, 0.96)))
    e.shape(box(0, 800, 2000, 812), toned(BOARD, 0.86))
    for row in (868, 930):
        e.line(
            smooth([(0, row), (700, row + 8), (1400, row - 4), (2000, row + 6)]),
            3,
            toned(BOARD, 0.9),
        )
    for x, y, zoom, ware, colours in (
        (1500, 266, 0.68, teas.round_tin, ("#2f4b6b", "#2f4b6b", "#f6eedb", boat)),
        (1270, 340, 0.58, pantry.honey, ("#d08a1e", "#f6eedb")),
        (620, 92, 0.9, pots.round_teapot, ("#c9a684", "#6f8f8a")),
        (1130, 490, 0.48, pots.mug, ("#d8bfa0", "#b3603b")),
    ):
        e.place(x, y, zoom)
        ware(e, *colours)
    e.place()
    return e.finish()
