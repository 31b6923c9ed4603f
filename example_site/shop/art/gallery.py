"""Which picture belongs to which article number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import Image

from . import pantry, pots, teas, tools
from .easel import Easel
from .emblems import anise, boat, citrus, mint, moon, mountain, pine, sprig, sun
from .stage import stage


class Picture(NamedTuple):
    """A drawing function with its colours, and the wall and disc behind it."""

    paint: Callable[..., None]
    colours: tuple[Any, ...]
    wall: str
    disc: str


CREAM = "#f6eedb"

PICTURES: dict[str, Picture] = {
    "TEA-101": Picture(teas.round_tin, ("#2f4b6b", "#2f4b6b", CREAM, boat), "#e9e2d3", "#f3d9a7"),
    "TEA-102": Picture(
        teas.square_tin, ("#3f6b5c", "#c07a1c", CREAM, citrus), "#e8e6d6", "#f2e3b3"
    ),
    "TEA-103": Picture(teas.pouch, ("#c9d3a4", "#3f5c2b", CREAM, sprig), "#e4ead7", "#cfdcb6"),
    "TEA-104": Picture(teas.low_tin, ("#55698a", "#3a4d70", CREAM, mountain), "#e2e6ec", "#c9d6e6"),
    "TEA-105": Picture(teas.flask, ("#a9a98f", "#5f6b70", "#f4f3ee", moon), "#e6e6e6", "#d3d8de"),
    "TEA-106": Picture(teas.pouch, ("#8fbf9b", "#1f5a44", "#f3f8ee", mint), "#e0ece2", "#f0f5d9"),
    "TEA-107": Picture(teas.round_tin, ("#a8452e", "#8c3522", CREAM, anise), "#f0e1d2", "#efc08e"),
    "TEA-108": Picture(teas.square_tin, ("#c4683c", "#a8401f", CREAM, sun), "#f2e2d4", "#e9a98a"),
    "TEA-109": Picture(teas.low_tin, ("#3c3a3b", "#3c3a3b", "#e6dccb", pine), "#dfdad3", "#c9bfb3"),
    "POT-201": Picture(pots.round_teapot, ("#c9a684", "#6f8f8a"), "#e7e4da", "#cfdcd6"),
    "POT-202": Picture(pots.kyusu, ("#a4532f", "#7b3a1f"), "#f0e4d6", "#e8c6a4"),
    "POT-203": Picture(pots.mug, ("#d8bfa0", "#4f7686"), "#e8e6e0", "#f1dfb6"),
    "POT-204": Picture(pots.tumblers, ("#e8dcc6", "#3d5a6c"), "#e9e3da", "#e7b99c"),
    "POT-205": Picture(pots.tea_bowl, ("#6d5a4b", "#8a9a8c"), "#e6e3d8", "#d7dfb8"),
    "POT-206": Picture(pots.gaiwan, ("#f3f0e8", "#33507a"), "#e3e8ea", "#f0cfc0"),
    "POT-207": Picture(pots.jug, ("#efe6d4", "#b7c4b1"), "#eae5dc", "#c8d8dc"),
    "TOL-301": Picture(tools.kettle, ("#8d949a", "#3a2a20"), "#e6e4e0", "#f0d6ae"),
    "TOL-302": Picture(tools.strainer, ("#a9b0b3", "#54452b"), "#e2e7e4", "#d8e2c2"),
    "TOL-303": Picture(tools.whisk, ("#d8bd83", "#2e3a35"), "#ece6d4", "#cddbb0"),
    "TOL-304": Picture(tools.scoop, ("#b07d48", "#4b5a33"), "#efe6d8", "#e3d0a8"),
    "TOL-305": Picture(tools.sandglass, ("#9c6a43", "#d98a5b"), "#ebe3da", "#cfdde0"),
    "TOL-306": Picture(tools.caddy, ("#7a3b26", "#c8cccb"), "#eee2d8", "#e6c3a8"),
    "TOL-307": Picture(tools.towel, ("#f1ebdd", "#3f6170"), "#dfe4e0", "#eeddc0"),
    "PAN-401": Picture(pantry.honey, ("#d08a1e", CREAM), "#f3e8cf", "#f6d48a"),
    "PAN-402": Picture(pantry.marmalade, ("#d97a1f", "#fbf3e2"), "#e7e9ec", "#f6cf9b"),
    "PAN-403": Picture(pantry.shortbread, ("#d9b06d", "#a63d33"), "#f1e7da", "#e5c9b9"),
    "PAN-404": Picture(pantry.chocolate, ("#2f5d57", CREAM), "#e6e2d6", "#d9b99b"),
    "PAN-405": Picture(pantry.ginger, ("#2e4f86", "#f2f0ea"), "#e6e8ea", "#f3dfa6"),
    "PAN-406": Picture(pantry.oat_biscuits, ("#b98347", CREAM), "#efe6d8", "#dfe3c6"),
    "PAN-407": Picture(pantry.sugar_sticks, ("#e3b35c", "#fdf8ec"), "#ece6e6", "#f3d3c8"),
}


def draw(sku: str, size: int = 800) -> Image.Image:
    """Return the finished picture of an article.

    Raises KeyError where no picture is known for the article number.
    """
    picture = PICTURES[sku]
    easel = Easel(size)
    stage(easel, picture.wall, picture.disc)
    picture.paint(easel, *picture.colours)
    return easel.finish()
