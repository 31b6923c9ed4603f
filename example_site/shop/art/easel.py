"""A small vector easel over Pillow: smooth outlines, turned bodies, soft shadows, paper grain.

Coordinates are logical: the square is 1000 by 1000 whatever the size in pixels. Everything is drawn
at twice the final size and reduced at the end, which is what makes the edges smooth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
RGB = tuple[int, int, int]

#: Brightness across a turned (round) body, from its left edge to its right.
ROUND = ((0.0, 0.80), (0.26, 1.10), (0.55, 1.0), (1.0, 0.66))
#: The same for a flat thing that stands a little in the light.
FLAT = ((0.0, 1.04), (1.0, 0.93))


def rgb(colour: str) -> RGB:
    """Return the three channels of a ``#rrggbb`` colour."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def toned(colour: str, factor: float) -> str:
    """Return the colour made lighter (factor above 1) or darker (below 1)."""
    if factor <= 1:
        channels = [round(c * factor) for c in rgb(colour)]
    else:
        channels = [round(c + (255 - c) * (factor - 1)) for c in rgb(colour)]
    return "#" + "".join(f"{max(0, min(255, c)):02x}" for c in channels)


def mixed(first: str, second: str, share: float = 0.5) -> str:
    """Return a colour between two: ``share`` is how much of the second."""
    pairs = zip(rgb(first), rgb(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def smooth(points: Sequence[Point], *, closed: bool = False, steps: int = 14) -> list[Point]:
    """Return a Catmull-Rom curve through the points; a doubled point keeps its corner."""
    pts = list(points)
    pts = [pts[-1], *pts, pts[0], pts[1]] if closed else [pts[0], *pts, pts[-1]]
    curve: list[Point] = []
    for p0, p1, p2, p3 in zip(pts, pts[1:], pts[2:], pts[3:], strict=False):
        if p1 == p2:
            curve.append(p1)
            continue
        for step in range(steps):
            t = step / steps
            curve.append(
                (_spline(t, p0[0], p1[0], p2[0], p3[0]), _spline(t, p0[1], p1[1], p2[1], p3[1]))
            )
    if not closed:
        curve.append(pts[-2])
    return curve


def _spline(t: float, a: float, b: float, c: float, d: float) -> float:
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
    )


def turned(cx: float, profile: Sequence[Point]) -> list[Point]:
    """Return the outline of a body turned on a wheel: (radius, y) pairs, top to bottom."""
    right = smooth([(cx + radius, y) for radius, y in profile])
    return right + [(2 * cx - x, y) for x, y in reversed(right)]


def oval(
    cx: float,
    cy: float,
    rx: float,
    ry: float,
    *,
    tilt: float = 0,
    start: float = 0,
    end: float = 360,
) -> list[Point]:
    """Return the outline of an ellipse (or a part of it), turned by ``tilt`` degrees."""
    a = math.radians(tilt)
    points = []
    for step in range(73):
        t = math.radians(start + (end - start) * step / 72)
        x, y = rx * math.cos(t), ry * math.sin(t)
        points.append(
            (cx + x * math.cos(a) - y * math.sin(a), cy + x * math.sin(a) + y * math.cos(a))
        )
    return points


def box(left: float, top: float, right: float, bottom: float, radius: float = 0) -> list[Point]:
    """Return the outline of a rectangle with rounded corners."""
    if not radius:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = ((right, top, -90), (right, bottom, 0), (left, bottom, 90), (left, top, 180))
    outline: list[Point] = []
    for x, y, start in corners:
        cx = x - radius if x == right else x + radius
        cy = y - radius if y == bottom else y + radius
        for step in range(10):
            t = math.radians(start + 90 * step / 9)
            outline.append((cx + radius * math.cos(t), cy + radius * math.sin(t)))
    return outline


@lru_cache(maxsize=4)
def _grain(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 26)


class Easel:
    """One picture in the making.

    ``size`` is the side of the finished square in pixels; ``wide`` stretches it (2 makes the
    picture twice as wide as high, and the logical width 2000).
    """

    def __init__(self, size: int = 800, *, wide: float = 1.0, paper: str = "#efe6d6") -> None:
        self.size = size
        self.scale = 2 * size / 1000
        self.width = round(1000 * wide)
        self.image = Image.new("RGB", (round(2 * size * wide), 2 * size), rgb(paper))
        self.body: Image.Image | None = None
        self._place = (0.0, 0.0, 1.0)

    def place(self, dx: float = 0, dy: float = 0, zoom: float = 1) -> None:
        """Draw what follows moved and enlarged, so that a scene can reuse whole wares."""
        self._place = (dx, dy, zoom)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        dx, dy, zoom = self._place
        return [((x * zoom + dx) * self.scale, (y * zoom + dy) * self.scale) for x, y in points]

    def shape(
        self,
        outline: Sequence[Point],
        fill: str,
        *,
        light: Sequence[Point] | None = None,
        inside: bool = False,
        keep: bool = False,
        opacity: float = 1.0,
    ) -> None:
        """Fill an outline.

        ``light`` shades it from left to right, ``inside`` clips it to the body that was kept last,
        ``keep`` makes this shape that body.
        """
        pixels = self._pixels(outline)
        left = max(0, math.floor(min(x for x, _ in pixels)))
        top = max(0, math.floor(min(y for _, y in pixels)))
        right = min(self.image.width, math.ceil(max(x for x, _ in pixels)) + 1)
        bottom = min(self.image.height, math.ceil(max(y for _, y in pixels)) + 1)
        if right <= left or bottom <= top:
            return
        size = (right - left, bottom - top)
        mask = Image.new("L", size, 0)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in pixels], fill=255)
        if inside and self.body is not None:
            mask = ImageChops.multiply(mask, self.body.crop((left, top, right, bottom)))
        if keep:
            self.body = Image.new("L", self.image.size, 0)
            self.body.paste(mask, (left, top))
        if opacity < 1:
            mask = mask.point(lambda value: round(value * opacity))
        self.image.paste(self._paint(size, fill, light), (left, top), mask)

    def _paint(
        self, size: tuple[int, int], fill: str, light: Sequence[Point] | None
    ) -> Image.Image:
        if light is None:
            return Image.new("RGB", size, rgb(fill))
        strip = Image.new("RGB", (128, 1))
        for x in range(128):
            strip.putpixel((x, 0), rgb(toned(fill, _at(light, x / 127))))
        return strip.resize(size, Image.Resampling.BILINEAR)

    def line(
        self, points: Sequence[Point], width: float, fill: str, *, inside: bool = False
    ) -> None:
        """Draw a line with round ends along the points."""
        if inside:
            self._line_inside(points, width, fill)
            return
        self._stroke(ImageDraw.Draw(self.image), points, width, rgb(fill))

    def _line_inside(self, points: Sequence[Point], width: float, fill: str) -> None:
        mask = Image.new("L", self.image.size, 0)
        self._stroke(ImageDraw.Draw(mask), points, width, 255)
        if self.body is not None:
            mask = ImageChops.multiply(mask, self.body)
        self.image.paste(rgb(fill), (0, 0), mask)

    def _stroke(
        self, draw: ImageDraw.ImageDraw, points: Sequence[Point], width: float, ink: RGB | int
    ) -> None:
        pixels = self._pixels(points)
        thick = max(1, round(width * self._place[2] * self.scale))
        draw.line(pixels, fill=ink, width=thick, joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            r = thick / 2
            draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)

    def tube(self, points: Sequence[Point], width: float, fill: str) -> None:
        """Draw a round handle or spout: a line with a shaded side and a lit one."""
        self.line(points, width, toned(fill, 0.74))
        lift = width * 0.1
        self.line([(x - lift, y - lift) for x, y in points], width * 0.72, fill)
        self.line(
            [(x - lift * 1.8, y - lift * 1.8) for x, y in points], width * 0.22, toned(fill, 1.28)
        )

    def shadow(self, cx: float, cy: float, rx: float, ry: float, strength: float = 0.34) -> None:
        """Lay a soft shadow on the table."""
        quarter = (self.image.width // 4, self.image.height // 4)
        mask = Image.new("L", quarter, 0)
        (left, top), (right, bottom) = self._pixels([(cx - rx, cy - ry), (cx + rx, cy + ry)])
        ImageDraw.Draw(mask).ellipse(
            (left / 4, top / 4, right / 4, bottom / 4), fill=round(255 * strength)
        )
        mask = mask.filter(ImageFilter.GaussianBlur((bottom - top) / 8 * 0.55))
        mask = mask.resize(self.image.size)
        self.image.paste((52, 36, 24), (0, 0), mask)

    def finish(self) -> Image.Image:
        """Return the finished picture: reduced, with the grain of paper."""
        picture = self.image.reduce(2)
        grain = _grain(*picture.size)
        tint = Image.merge("RGB", (grain, grain, grain))
        return Image.blend(picture, ImageChops.overlay(picture, tint), 0.16)


def _at(ramp: Sequence[Point], t: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(ramp):
        if t <= x1:
            return y0 + (y1 - y0) * (t - x0) / (x1 - x0)
    return ramp[-1][1]
