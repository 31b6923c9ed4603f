"""Brewing tools."""

from __future__ import annotations

import math

from .easel import FLAT, ROUND, Easel, box, oval, smooth, toned, turned
from .stage import FOOT

STEEL = ((0, 0.72), (0.18, 1.3), (0.4, 0.92), (0.62, 1.12), (1, 0.6))


def kettle(e: Easel, metal: str, grip: str) -> None:
    """A kettle with a long thin spout."""
    e.shadow(520, FOOT + 4, 320, 48)
    e.tube(
        smooth([(316, 760), (230, 720), (230, 600), (190, 500), (130, 440), (104, 446)]), 32, metal
    )
    e.tube(smooth([(640, 420), (800, 380), (866, 470), (846, 620), (790, 690)]), 40, grip)
    body = [
        (150, 430),
        (180, 446),
        (206, 560),
        (236, 700),
        (250, FOOT - 4),
        (250, FOOT - 4),
        (244, FOOT + 16),
        (0, FOOT + 20),
    ]
    e.shape(turned(500, body), metal, light=STEEL, keep=True)
    e.line(smooth([(250, 776), (500, 792), (750, 776)]), 5, toned(metal, 0.62), inside=True)
    e.shape(
        turned(500, [(0, 376), (90, 384), (152, 414), (160, 438), (0, 446)]),
        toned(metal, 0.92),
        light=STEEL,
    )
    e.shape(
        turned(500, [(0, 318), (34, 324), (40, 346), (26, 362), (20, 380), (0, 382)]),
        grip,
        light=ROUND,
    )


def strainer(e: Easel, metal: str, grip: str) -> None:
    """A basket strainer with two wings."""
    e.shadow(530, FOOT, 280, 44)
    for left in (150, 700):
        e.shape(box(left, 444, left + 150, 482, 18), metal, light=FLAT)
    body = [
        (216, 452),
        (216, 452),
        (206, 600),
        (190, 760),
        (168, FOOT),
        (90, FOOT + 14),
        (0, FOOT + 16),
    ]
    e.shape(turned(500, body), metal, light=STEEL, keep=True)
    for row in range(510, 840, 24):
        for column in range(-10, 11):
            x = 500 + column * 21 + (10 if row // 24 % 2 else 0)
            e.shape(oval(x, row, 5.6, 6.4), toned(metal, 0.46), inside=True)
    e.shape(oval(500, 452, 226, 40), toned(metal, 1.12))
    e.shape(oval(500, 456, 204, 31), toned(metal, 0.5))
    for x, y, tilt in (
        (420, 458, 20),
        (470, 468, -30),
        (520, 456, 10),
        (566, 466, 40),
        (610, 456, -14),
        (380, 454, -20),
    ):
        e.shape(oval(x, y, 26, 6, tilt=tilt), grip)


def whisk(e: Easel, wood: str, tie: str) -> None:
    """A bamboo whisk on its stand of tines."""
    e.shadow(540, FOOT + 6, 220, 42)
    for layer, (half, shade) in enumerate(((196, 0.82), (176, 1.0), (150, 1.16))):
        for k in range(-9, 10):
            x = 500 + half * math.sin(k / 9 * 1.5)
            top = 500 + k * k * 0.15
            bend = (x - 500) * 1.1
            e.line(
                smooth(
                    [
                        (500 + k * 7, top),
                        (500 + bend * 0.86, 650 + layer * 8),
                        (x * 0.98 + 10, 790),
                        (x * 0.9 + 50, FOOT + 12),
                    ]
                ),
                7,
                toned(wood, shade),
            )
    e.shape(
        turned(500, [(74, 180), (74, 180), (70, 340), (78, 470), (92, 520), (0, 528)]),
        wood,
        light=ROUND,
        keep=True,
    )
    e.shape(oval(500, 180, 74, 16), toned(wood, 1.2))
    e.shape(oval(500, 182, 50, 9), toned(wood, 0.6))
    e.line([(420, 310), (580, 310)], 6, toned(wood, 0.8), inside=True)
    for row in (458, 474, 490):
        e.line([(408, row), (592, row)], 10, tie, inside=True)


def scoop(e: Easel, wood: str, leaf: str) -> None:
    """A wooden scoop, full of leaf, lying on the table."""
    e.shadow(520, 772, 400, 54)
    e.shape(
        smooth(
            [
                (470, 650),
                (620, 560),
                (800, 430),
                (850, 412),
                (872, 450),
                (842, 486),
                (660, 640),
                (520, 730),
            ],
            closed=True,
        ),
        wood,
        light=((0, 1.06), (1, 0.78)),
    )
    e.line(smooth([(560, 640), (680, 556), (810, 456)]), 5, toned(wood, 0.78))
    e.shape(oval(838, 446, 9, 9), toned(wood, 0.45))
    e.shape(oval(350, 700, 240, 116, tilt=-14), toned(wood, 0.8), light=ROUND)
    e.shape(oval(346, 672, 232, 92, tilt=-14), toned(wood, 1.1))
    e.shape(oval(346, 676, 208, 74, tilt=-14), toned(wood, 0.55))
    seed = 3
    for k in range(90):
        seed = (seed * 1103515245 + 12345) % 2**31
        angle, far = seed % 360, (seed // 360 % 100) / 100
        x = 346 + 190 * far * math.cos(math.radians(angle))
        y = 668 + 58 * far * math.sin(math.radians(angle)) - (x - 346) * 0.24
        e.shape(oval(x, y, 24, 7, tilt=seed % 180), toned(leaf, 0.8 + (k % 5) * 0.12))
    for x, y, tilt in (
        (170, 846, 20),
        (240, 870, -24),
        (560, 840, 40),
        (120, 806, 70),
        (430, 876, 8),
    ):
        e.shape(oval(x, y, 24, 7, tilt=tilt), leaf)


def sandglass(e: Easel, wood: str, sand: str) -> None:
    """A sandglass in a wooden frame."""
    e.shadow(540, FOOT + 6, 260, 44)
    for x in (352, 648):
        e.tube([(x, 250), (x, 800)], 24, wood)
    glass = [
        (110, 262),
        (110, 262),
        (118, 340),
        (90, 450),
        (14, 530),
        (90, 610),
        (118, 720),
        (110, 800),
        (110, 800),
    ]
    e.shape(
        turned(500, glass),
        "#e9efec",
        light=((0, 0.82), (0.3, 1.2), (0.6, 1.0), (1, 0.8)),
        keep=True,
    )
    e.shape(
        [(350, 400), *smooth([(350, 400), (500, 424), (650, 400)]), (650, 530), (350, 530)],
        sand,
        light=ROUND,
        inside=True,
    )
    e.line([(500, 528), (500, 720)], 7, sand)
    e.shape(
        [*smooth([(370, 800), (420, 740), (500, 676), (580, 740), (630, 800)])],
        sand,
        light=ROUND,
        inside=True,
    )
    e.line(smooth([(414, 300), (406, 360), (430, 430)]), 8, "#ffffff", inside=True)
    for top, bottom in ((208, 258), (798, 850)):
        e.shape(box(292, top, 708, bottom, 18), wood, light=ROUND)
        e.line([(306, top + 10), (694, top + 10)], 5, toned(wood, 1.24))


def caddy(e: Easel, wood: str, metal: str) -> None:
    """A cherry-bark caddy with its lid leaning against it."""
    e.shadow(560, FOOT + 4, 310, 46)
    e.shape(oval(716, 720, 122, 134, tilt=-10), toned(wood, 0.7))
    e.shape(oval(704, 716, 122, 134, tilt=-10), wood, light=ROUND)
    e.shape(oval(704, 716, 96, 106, tilt=-10), toned(wood, 1.16))
    e.shape(oval(704, 716, 16, 18, tilt=-10), metal)
    body = [
        (170, 330),
        (170, 330),
        (172, FOOT - 10),
        (172, FOOT - 10),
        (164, FOOT + 16),
        (0, FOOT + 22),
    ]
    e.shape(turned(420, body), wood, light=ROUND, keep=True)
    for row, half in ((430, 60), (470, 30), (540, 80), (590, 44), (660, 90), (720, 50), (776, 70)):
        e.line(
            smooth([(420 - half - 40, row), (420, row + 5), (420 + half, row - 2)]),
            5,
            toned(wood, 0.72),
            inside=True,
        )
    e.shape(turned(420, [(150, 262), (150, 262), (150, 340), (150, 340)]), metal, light=STEEL)
    e.shape(oval(420, 262, 150, 26), toned(metal, 1.1))
    e.shape(oval(420, 266, 136, 19), "#4d5b34")


def towel(e: Easel, cloth: str, stripe: str) -> None:
    """A folded linen towel hanging from a peg rail."""
    e.shape(box(120, 196, 880, 240, 20), "#c29a67", light=FLAT)
    for x in (250, 500, 750):
        e.shape(oval(x, 218, 28, 28), toned("#c29a67", 0.8))
        e.shape(oval(x - 3, 214, 22, 22), toned("#c29a67", 1.12))
    outline = smooth(
        [
            (500, 214),
            (500, 214),
            (410, 268),
            (342, 330),
            (336, 560),
            (322, 800),
            (322, 800),
            (420, 820),
            (500, 804),
            (590, 824),
            (684, 800),
            (684, 800),
            (668, 560),
            (660, 330),
            (590, 268),
            (500, 214),
        ]
    )
    e.shape([(x + 22, y + 14) for x, y in outline], "#3c2a1c", opacity=0.16)
    e.shape(
        outline,
        cloth,
        light=((0, 0.94), (0.3, 1.06), (0.5, 0.9), (0.7, 1.04), (1, 0.86)),
        keep=True,
    )
    for row, width in ((640, 22), (680, 8), (704, 8), (744, 22)):
        e.line(
            smooth([(300, row), (420, row + 14), (500, row), (590, row + 14), (700, row)]),
            width,
            stripe,
            inside=True,
        )
    for x, bend in ((440, 24), (560, -18)):
        e.line(smooth([(500, 260), (x, 420), (x + bend, 800)]), 6, toned(cloth, 0.84), inside=True)
