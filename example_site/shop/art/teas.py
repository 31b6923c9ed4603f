"""Tins and pouches of tea."""

from __future__ import annotations

from .easel import FLAT, ROUND, Easel, box, oval, smooth, toned, turned
from .emblems import Emblem
from .stage import FOOT


def _label(e: Easel, emblem: Emblem, top: float, bottom: float, ink: str, paper: str) -> None:
    e.shape(box(250, top, 750, bottom), paper, light=ROUND, inside=True)
    e.line([(250, top + 16), (750, top + 16)], 4, ink, inside=True)
    e.line([(250, bottom - 16), (750, bottom - 16)], 4, ink, inside=True)
    emblem(e, 492, (top + bottom) / 2, (bottom - top) / 270, ink, paper)


def round_tin(e: Easel, colour: str, ink: str, paper: str, emblem: Emblem) -> None:
    """A tall round tin with a lid."""
    e.shadow(540, FOOT + 4, 250, 46)
    body = [
        (182, 300),
        (182, 300),
        (182, FOOT - 14),
        (182, FOOT - 14),
        (170, FOOT + 14),
        (90, FOOT + 26),
        (0, FOOT + 28),
    ]
    e.shape(turned(500, body), colour, light=ROUND, keep=True)
    _label(e, emblem, 418, 736, ink, paper)
    lid = [(0, 186), (120, 188), (184, 204), (192, 220), (192, 220), (192, 318), (192, 318)]
    e.shape(turned(500, lid), toned(colour, 0.84), light=ROUND)
    e.shape(oval(500, 204, 182, 24), toned(colour, 1.16))
    e.line([(309, 318), (691, 318)], 6, toned(colour, 0.6))


def low_tin(e: Easel, colour: str, ink: str, paper: str, emblem: Emblem) -> None:
    """A low, wide tin with a knob."""
    e.shadow(550, FOOT + 4, 320, 48)
    body = [
        (262, 470),
        (262, 470),
        (262, FOOT - 16),
        (262, FOOT - 16),
        (244, FOOT + 14),
        (120, FOOT + 28),
        (0, FOOT + 30),
    ]
    e.shape(turned(500, body), colour, light=ROUND, keep=True)
    e.shape(box(200, 548, 800, 786), paper, light=ROUND, inside=True)
    emblem(e, 490, 668, 0.98, ink, paper)
    lid = [(0, 366), (150, 370), (256, 392), (272, 410), (272, 410), (272, 486), (272, 486)]
    e.shape(turned(500, lid), toned(colour, 0.82), light=ROUND)
    e.shape(oval(500, 394, 256, 30), toned(colour, 1.12))
    e.shape(
        turned(500, [(0, 318), (34, 322), (46, 344), (30, 366), (22, 392), (0, 394)]),
        paper,
        light=ROUND,
    )


def square_tin(e: Easel, colour: str, ink: str, paper: str, emblem: Emblem) -> None:
    """A square tin, seen a little from the side."""
    e.shadow(560, FOOT + 2, 280, 44)
    e.shape([(640, 262), (748, 232), (748, 800), (640, FOOT + 22)], toned(colour, 0.68))
    e.shape(box(272, 262, 640, FOOT + 22), colour, light=FLAT, keep=True)
    e.shape([(272, 262), (384, 232), (748, 232), (640, 262)], toned(colour, 1.2))
    e.shape(box(312, 392, 600, 748), paper, light=FLAT)
    e.line([*box(328, 408, 584, 732), (328, 408)], 4, ink)
    emblem(e, 456, 566, 1.12, ink, paper)
    e.line([(272, 336), (640, 336), (748, 304)], 5, toned(colour, 0.56))


def pouch(e: Easel, colour: str, ink: str, paper: str, emblem: Emblem) -> None:
    """A paper pouch with a folded top and a string."""
    e.shadow(540, FOOT + 6, 270, 46)
    outline = smooth(
        [
            (322, 300),
            (322, 300),
            (300, 560),
            (286, 800),
            (320, FOOT + 24),
            (320, FOOT + 24),
            (500, FOOT + 32),
            (680, FOOT + 24),
            (680, FOOT + 24),
            (714, 800),
            (700, 560),
            (678, 300),
            (678, 300),
        ]
    )
    e.shape(outline, colour, light=((0, 0.92), (0.2, 1.06), (0.6, 1.0), (1, 0.8)), keep=True)
    for x, bend in ((356, 18), (640, -22)):
        e.line(
            smooth([(x, 330), (x + bend, 560), (x - bend / 2, 820)]),
            5,
            toned(colour, 0.88),
            inside=True,
        )
    e.shape([(322, 300), (678, 300), (684, 200), (316, 200)], toned(colour, 0.9), light=FLAT)
    e.shape([(316, 200), (684, 200), (688, 236), (312, 236)], toned(colour, 1.1))
    e.line([(318, 300), (682, 300)], 9, ink)
    e.line(smooth([(500, 300), (452, 340), (470, 388)]), 6, ink)
    e.line(smooth([(500, 300), (548, 346), (524, 404)]), 6, ink)
    e.shape(oval(500, 590, 142, 142), paper)
    e.line(oval(500, 590, 128, 128), 4, ink)
    emblem(e, 500, 590, 1.0, ink, paper)


def flask(e: Easel, colour: str, ink: str, paper: str, emblem: Emblem) -> None:
    """A tall glass flask with a cork: the leaf shows through."""
    e.shadow(540, FOOT + 4, 240, 44)
    body = [
        (92, 268),
        (92, 268),
        (98, 330),
        (180, 420),
        (192, 520),
        (192, FOOT - 10),
        (176, FOOT + 18),
        (90, FOOT + 28),
        (0, FOOT + 28),
    ]
    e.shape(
        turned(500, body),
        "#dfe6e0",
        light=((0, 0.84), (0.3, 1.14), (0.6, 1.0), (1, 0.78)),
        keep=True,
    )
    e.shape(
        [
            *smooth([(280, 500), (380, 474), (500, 492), (620, 470), (720, 500)]),
            (720, 900),
            (280, 900),
        ],
        colour,
        light=ROUND,
        inside=True,
    )
    e.shape(box(250, 560, 750, 748), paper, light=ROUND, inside=True)
    emblem(e, 494, 654, 0.84, ink, paper)
    e.shape(
        turned(500, [(0, 176), (70, 178), (84, 186), (84, 186), (88, 286), (88, 286), (0, 290)]),
        "#c79a63",
        light=ROUND,
    )
    e.line(smooth([(346, 520), (340, 640), (346, 780)]), 9, "#f6faf6", inside=True)
