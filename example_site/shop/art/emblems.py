"""The small emblems on tins and labels, each drawn around a point; size 1 is about 200 across."""

from __future__ import annotations

import math
from collections.abc import Callable

from .easel import Easel, Point, mixed, oval, smooth

Emblem = Callable[[Easel, float, float, float, str, str], None]


def _leaf(easel: Easel, x: float, y: float, length: float, angle: float, fill: str) -> None:
    """One pointed leaf that grows from (x, y) at an angle (degrees, 0 = right)."""
    a = math.radians(angle)
    half = length * 0.26

    def at(along: float, aside: float) -> Point:
        return (
            x + along * math.cos(a) - aside * math.sin(a),
            y + along * math.sin(a) + aside * math.cos(a),
        )

    upper = smooth([at(0, 0), at(length * 0.45, half), at(length, 0)])
    lower = smooth([at(length, 0), at(length * 0.45, -half), at(0, 0)])
    easel.shape(upper + lower, fill)


def sprig(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """Two leaves and a bud."""
    e.line(smooth([(x - 4 * s, y + 80 * s), (x, y + 10 * s), (x + 4 * s, y - 50 * s)]), 7 * s, ink)
    _leaf(e, x, y + 30 * s, 92 * s, -28, ink)
    _leaf(e, x, y + 30 * s, 92 * s, -152, ink)
    _leaf(e, x + 3 * s, y - 20 * s, 76 * s, -84, ink)


def mint(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A stem of mint, leaves in pairs."""
    e.line([(x, y + 90 * s), (x, y - 70 * s)], 7 * s, ink)
    for row, length in ((60, 78), (10, 66), (-38, 48)):
        _leaf(e, x, y + row * s, length * s, -22, ink)
        _leaf(e, x, y + row * s, length * s, -158, ink)
    _leaf(e, x, y - 60 * s, 40 * s, -90, ink)


def citrus(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A slice of bergamot."""
    e.shape(oval(x, y, 84 * s, 84 * s), ink)
    e.shape(oval(x, y, 72 * s, 72 * s), paper)
    for wedge in range(8):
        start = wedge * 45 + 5
        e.shape([(x, y), *oval(x, y, 64 * s, 64 * s, start=start, end=start + 35)], ink)
    e.shape(oval(x, y, 9 * s, 9 * s), paper)


def mountain(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """Three peaks with snow, above mist."""
    e.shape([(x - 100 * s, y + 60 * s), (x - 45 * s, y - 30 * s), (x + 10 * s, y + 60 * s)], ink)
    e.shape([(x - 40 * s, y + 60 * s), (x + 22 * s, y - 78 * s), (x + 98 * s, y + 60 * s)], ink)
    snow = [(x + 2 * s, y - 34 * s), (x + 22 * s, y - 78 * s), (x + 46 * s, y - 34 * s)]
    e.shape(
        [*snow, (x + 30 * s, y - 46 * s), (x + 22 * s, y - 28 * s), (x + 14 * s, y - 46 * s)], paper
    )
    for step in range(2):
        e.line(
            [
                (x - (70 - 40 * step) * s, y + (28 + 20 * step) * s),
                (x + (60 - 10 * step) * s, y + (28 + 20 * step) * s),
            ],
            6 * s,
            paper,
        )


def moon(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A moon over banks of fog."""
    e.shape(oval(x + 8 * s, y - 20 * s, 62 * s, 62 * s), ink)
    e.shape(oval(x + 34 * s, y - 34 * s, 54 * s, 54 * s), paper)
    for step, half in enumerate((86, 60, 36)):
        row = y + (48 + 22 * step) * s
        wave = [(x + (k * half / 2) * s, row + (6 if k % 2 else -6) * s) for k in range(-2, 3)]
        e.line(smooth(wave), 7 * s, ink)


def anise(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A star of anise."""
    for arm in range(8):
        _leaf(e, x, y, 90 * s, arm * 45 - 90, ink)
    for arm in range(8):
        a = math.radians(arm * 45 - 90)
        e.shape(oval(x + 52 * s * math.cos(a), y + 52 * s * math.sin(a), 8 * s, 8 * s), paper)
    e.shape(oval(x, y, 12 * s, 12 * s), paper)


def sun(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A low sun over red earth."""
    e.shape(oval(x, y + 20 * s, 52 * s, 52 * s, start=180, end=360), ink)
    for ray in range(7):
        a = math.radians(180 + ray * 30)
        inner, outer = 66 * s, (96 if ray % 2 else 84) * s
        e.line(
            [
                (x + inner * math.cos(a), y + 20 * s + inner * math.sin(a)),
                (x + outer * math.cos(a), y + 20 * s + outer * math.sin(a)),
            ],
            8 * s,
            ink,
        )
    for step, half in enumerate((96, 66, 34)):
        e.line(
            [(x - half * s, y + (36 + 20 * step) * s), (x + half * s, y + (36 + 20 * step) * s)],
            8 * s,
            ink,
        )


def boat(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A sailing boat on two waves."""
    e.shape([(x - 4 * s, y - 92 * s), (x - 4 * s, y + 20 * s), (x - 70 * s, y + 20 * s)], ink)
    e.shape([(x + 8 * s, y - 66 * s), (x + 60 * s, y + 20 * s), (x + 8 * s, y + 20 * s)], ink)
    e.shape(
        [
            (x - 86 * s, y + 32 * s),
            (x + 84 * s, y + 32 * s),
            (x + 48 * s, y + 64 * s),
            (x - 52 * s, y + 64 * s),
        ],
        ink,
    )
    wave = [(x + k * 24 * s, y + (84 if k % 2 else 76) * s) for k in range(-4, 5)]
    e.line(smooth(wave), 7 * s, ink)


def pine(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A pine and its smoke."""
    for row, half in ((-70, 30), (-30, 48), (14, 66)):
        e.shape(
            [
                (x - 22 * s, y + (row - 26) * s),
                (x - 22 * s + half * s, y + (row + 34) * s),
                (x - 22 * s - half * s, y + (row + 34) * s),
            ],
            ink,
        )
    e.line([(x - 22 * s, y + 40 * s), (x - 22 * s, y + 82 * s)], 13 * s, ink)
    smoke = [
        (x + 52 * s, y + 80 * s),
        (x + 74 * s, y + 40 * s),
        (x + 44 * s, y),
        (x + 70 * s, y - 44 * s),
        (x + 54 * s, y - 84 * s),
    ]
    e.line(smooth(smoke), 8 * s, ink)


def bee(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A bee, seen from above."""
    e.shape(oval(x - 34 * s, y - 14 * s, 44 * s, 22 * s, tilt=-28), mixed(ink, paper, 0.66))
    e.shape(oval(x + 34 * s, y - 14 * s, 44 * s, 22 * s, tilt=28), mixed(ink, paper, 0.66))
    e.shape(oval(x, y + 18 * s, 30 * s, 52 * s), ink)
    for row in (4, 28, 50):
        e.line([(x - 26 * s, y + row * s), (x + 26 * s, y + row * s)], 9 * s, paper)
    e.shape(oval(x, y - 38 * s, 20 * s, 18 * s), ink)


def root(e: Easel, x: float, y: float, s: float, ink: str, paper: str) -> None:
    """A hand of ginger."""
    for dx, dy, rx, ry, tilt in (
        (-10, 20, 70, 34, 10),
        (44, -18, 46, 26, -50),
        (-54, -14, 40, 24, 60),
        (60, 36, 36, 22, 20),
    ):
        e.shape(oval(x + dx * s, y + dy * s, rx * s, ry * s, tilt=tilt), ink)
    for dx in (-30, 0, 28):
        e.line(
            smooth(
                [(x + dx * s, y + 2 * s), (x + (dx + 7) * s, y + 20 * s), (x + dx * s, y + 40 * s)]
            ),
            5 * s,
            paper,
        )
