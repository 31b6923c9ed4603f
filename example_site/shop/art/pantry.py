"""Things to eat with tea."""

from __future__ import annotations

import math

from .easel import FLAT, ROUND, Easel, box, oval, smooth, toned, turned
from .emblems import bee, citrus, root
from .stage import FOOT

GLASS = ((0, 0.74), (0.2, 1.22), (0.45, 1.04), (1, 0.7))


def _jar(e: Easel, fill: str, *, half: float, top: float) -> None:
    e.shadow(540, FOOT + 4, half + 70, 46)
    body = [
        (half - 40, top),
        (half - 40, top),
        (half - 30, top + 26),
        (half, top + 80),
        (half, FOOT - 30),
        (half - 16, FOOT + 14),
        (half - 80, FOOT + 26),
        (0, FOOT + 28),
    ]
    e.shape(turned(500, body), fill, light=GLASS, keep=True)
    e.line(
        smooth([(500 - half + 34, top + 110), (500 - half + 28, 640), (500 - half + 36, 770)]),
        12,
        toned(fill, 1.5),
        inside=True,
    )


def honey(e: Easel, amber: str, paper: str) -> None:
    """A jar of honey with a dipper."""
    _jar(e, amber, half=212, top=400)
    e.tube([(560, 400), (690, 170)], 20, "#c08f55")
    e.shape(
        turned(
            500, [(0, 344), (176, 344), (182, 356), (182, 356), (182, 414), (182, 414), (0, 418)]
        ),
        "#e8dcc0",
        light=ROUND,
    )
    e.shape(oval(500, 350, 178, 22), "#f4ecd8")
    e.shape(box(330, 520, 670, 780, 12), paper, light=ROUND, inside=True)
    bee(e, 500, 644, 1.15, "#4a2f14", paper)


def marmalade(e: Easel, orange: str, paper: str) -> None:
    """A squat jar under a cloth cap."""
    _jar(e, orange, half=240, top=450)
    for x, y, tilt in (
        (330, 560, 40),
        (660, 540, -30),
        (690, 760, 30),
        (320, 780, -40),
        (500, 540, 10),
    ):
        e.line(
            [
                (x - 30 * math.cos(math.radians(tilt)), y - 30 * math.sin(math.radians(tilt))),
                (x + 30 * math.cos(math.radians(tilt)), y + 30 * math.sin(math.radians(tilt))),
            ],
            11,
            toned(orange, 0.72),
            inside=True,
        )
    cap = smooth(
        [
            (262, 520),
            (300, 440),
            (340, 372),
            (500, 340),
            (660, 372),
            (700, 440),
            (738, 520),
            (690, 494),
            (640, 524),
            (590, 494),
            (540, 526),
            (490, 496),
            (440, 526),
            (390, 494),
            (330, 524),
            (262, 520),
        ]
    )
    e.shape(cap, "#dfe7ef", light=ROUND, keep=True)
    for k in range(-7, 8):
        e.line([(500 + k * 18, 330), (500 + k * 34, 540)], 6, "#6f8fae", inside=True)
    for row in (372, 404, 470, 502):
        e.line(smooth([(240, row + 8), (500, row - 10), (760, row + 8)]), 6, "#6f8fae", inside=True)
    e.line(smooth([(318, 440), (500, 452), (682, 440)]), 12, "#b3542d")
    e.shape(oval(500, 672, 120, 120), paper)
    citrus(e, 500, 672, 1.15, "#c96a1b", paper)


def shortbread(e: Easel, crumb: str, paper: str) -> None:
    """Fingers of shortbread, stacked crosswise and tied."""
    e.shadow(530, FOOT + 6, 330, 46)
    for row in range(4):
        top = FOOT - 66 - row * 86
        if row % 2 == 0:
            e.shape(box(210, top, 790, top + 82, 16), toned(crumb, 0.96), light=FLAT)
            e.shape(box(210, top, 790, top + 24, 12), toned(crumb, 1.22))
            for k in range(9):
                e.shape(oval(262 + k * 60, top + 52, 6, 6), toned(crumb, 0.66))
        else:
            for k in range(3):
                left = 226 + k * 192
                e.shape(box(left, top, left + 164, top + 82, 14), crumb, light=FLAT)
                e.shape(box(left, top, left + 164, top + 22, 12), toned(crumb, 1.22))
                e.shape(oval(left + 54, top + 52, 7, 7), toned(crumb, 0.66))
                e.shape(oval(left + 112, top + 52, 7, 7), toned(crumb, 0.66))
    e.line([(500, 496), (500, FOOT + 14)], 10, paper)
    e.line(smooth([(500, 500), (420, 420), (380, 470), (500, 502)]), 9, paper)
    e.line(smooth([(500, 500), (580, 420), (620, 470), (500, 502)]), 9, paper)
    for x, y in ((300, 500), (680, 504), (360, 512), (610, 498), (720, 512)):
        e.shape(box(x, y - 6, x + 11, y + 5), "#fbf7ee")


def chocolate(e: Easel, wrap: str, paper: str) -> None:
    """A bar of chocolate, half out of its paper."""
    e.shadow(530, FOOT + 4, 280, 44)
    dark = "#43261a"
    e.shape(box(322, 200, 678, 600), dark, light=FLAT)
    for row in range(3):
        for column in range(3):
            left, top = 334 + column * 114, 214 + row * 116
            e.shape(box(left, top, left + 104, top + 104, 8), toned(dark, 1.1))
            e.shape(box(left + 14, top + 14, left + 90, top + 90, 6), toned(dark, 0.9))
    e.shape(
        [(560, 180), (700, 180), (700, 300), (668, 262), (640, 280), (604, 226), (576, 232)],
        toned(wrap, 0),
        opacity=0,
    )
    torn = [
        (300, 470),
        (352, 446),
        (398, 474),
        (452, 440),
        (512, 470),
        (566, 444),
        (620, 476),
        (664, 448),
        (700, 466),
    ]
    e.shape([(x, y - 16) for x, y in torn] + [(700, 560), (300, 560)], "#e6e2d8")
    e.shape([*torn, (700, FOOT + 22), (300, FOOT + 22)], wrap, light=FLAT, keep=True)
    for k in range(9):
        e.line([(260 + k * 70, 900), (420 + k * 70, 440)], 7, toned(wrap, 1.2), inside=True)
    e.shape(box(352, 580, 648, 770, 10), paper)
    for row, half in ((622, 92), (660, 110), (698, 70), (732, 96)):
        e.line([(500 - half, row), (500 + half, row)], 8 if row != 660 else 16, wrap)


def ginger(e: Easel, fill: str, paper: str) -> None:
    """A blue and white jar of candied ginger."""
    e.shadow(540, FOOT + 4, 300, 46)
    body = [
        (118, 380),
        (118, 380),
        (126, 404),
        (216, 470),
        (244, 580),
        (220, 710),
        (150, FOOT),
        (140, FOOT + 16),
        (0, FOOT + 20),
    ]
    e.shape(turned(500, body), paper, light=ROUND, keep=True)
    for row in (444, 458, 790, 804):
        e.line(smooth([(220, row - 8), (500, row + 8), (780, row - 8)]), 6, fill, inside=True)
    root(e, 494, 630, 1.25, fill, paper)
    for x in (290, 716):
        e.line(smooth([(x, 540), (x + 20, 600), (x - 14, 660), (x + 8, 720)]), 7, fill, inside=True)
    e.shape(
        turned(500, [(0, 304), (100, 312), (140, 346), (140, 394), (140, 394), (0, 402)]),
        paper,
        light=ROUND,
    )
    e.line(smooth([(362, 384), (500, 396), (638, 384)]), 8, fill)
    e.shape(turned(500, [(0, 262), (26, 266), (34, 286), (20, 306), (0, 310)]), fill, light=ROUND)


def oat_biscuits(e: Easel, crumb: str, paper: str) -> None:
    """A leaning stack of round oat biscuits, one in front with a bite taken."""
    e.shadow(540, FOOT + 8, 330, 46)
    for row in range(6):
        cx, top = 520 + (row % 3 - 1) * 16, FOOT - 52 - row * 62
        e.shape(
            turned(
                cx, [(226, top), (238, top + 26), (226, top + 56), (120, top + 72), (0, top + 76)]
            ),
            toned(crumb, 0.84 + row % 2 * 0.08),
            light=ROUND,
        )
        e.shape(oval(cx, top, 226, 34), toned(crumb, 1.08))
    cx, top = 520 + 16, FOOT - 52 - 5 * 62
    for k in range(16):
        a = k * 2.4
        e.shape(
            oval(
                cx + 180 * math.sqrt(k / 16) * math.cos(a),
                top + 24 * math.sqrt(k / 16) * math.sin(a),
                13,
                6,
                tilt=k * 40,
            ),
            toned(crumb, 1.34 if k % 3 else 0.6),
        )
    e.shape(oval(316, 726, 146, 150), toned(crumb, 0.72))
    e.shape(oval(306, 722, 146, 150), crumb, light=ROUND, keep=True)
    for k in range(34):
        a, far = k * 2.399, math.sqrt(k / 34)
        e.shape(
            oval(306 + 122 * far * math.cos(a), 722 + 126 * far * math.sin(a), 15, 7, tilt=k * 53),
            toned(crumb, 1.34 if k % 3 else 0.6),
            inside=True,
        )


def sugar_sticks(e: Easel, sugar: str, paper: str) -> None:
    """A glass of rock-sugar sticks."""
    e.shadow(540, FOOT + 4, 230, 44)
    for k, (dx, lean, hue) in enumerate(
        ((-90, -70, 1.0), (-40, -24, 0.9), (10, 16, 1.12), (60, 60, 0.94), (100, 110, 1.06))
    ):
        x0, x1, top = 500 + dx * 0.6, 500 + dx + lean, 190 + (k * 37) % 60
        e.line([(x0, 820), (x1, top + 130)], 12, "#c9a46c")
        for step in range(9):
            t = step / 8
            x, y = x1 + (x0 - x1) * t * 0.34, top + 220 * t
            e.shape(oval(x - 14, y, 22, 19, tilt=step * 31), toned(sugar, hue * 0.92))
            e.shape(oval(x + 13, y + 8, 20, 17, tilt=step * 47), toned(sugar, hue))
            e.shape(oval(x - 4, y - 4, 10, 8), toned(sugar, 1.5))
    body = [(150, 520), (150, 520), (140, 680), (128, FOOT + 4), (110, FOOT + 22), (0, FOOT + 26)]
    e.shape(turned(500, body), "#dbe7e6", light=GLASS, keep=True, opacity=0.55)
    e.shape(box(300, 610, 700, 760), paper, light=ROUND, inside=True)
    e.line([(360, 652), (640, 652)], 9, toned(sugar, 0.7), inside=True)
    e.line([(390, 686), (610, 686)], 16, toned(sugar, 0.6), inside=True)
    e.line([(420, 722), (580, 722)], 9, toned(sugar, 0.7), inside=True)
    e.line(
        smooth([(500 - 120, 540), (500 - 114, 680), (500 - 104, 800)]), 9, "#ffffff", inside=True
    )
