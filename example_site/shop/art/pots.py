"""Pots and cups, turned on the wheel."""

from __future__ import annotations

from .easel import ROUND, Easel, oval, smooth, toned, turned
from .stage import FOOT


def _dip(
    e: Easel, glaze: str, level: float, *, runs: tuple[float, ...] = (0, 22, -8, 30, 4, 18)
) -> None:
    """Glaze the kept body down to a level, with runs."""
    span = 700 / (len(runs) - 1)
    edge = smooth([(150 + span * i, level + run) for i, run in enumerate(runs)])
    e.shape([(150, 0), *edge, (850, 0)], glaze, light=ROUND, inside=True)


def _speckle(e: Easel, ink: str, *, count: int = 60) -> None:
    """Iron specks in the clay: scattered, the same ones each time."""
    seed = 7
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        x = 200 + seed % 600
        seed = (seed * 1103515245 + 12345) % 2**31
        y = 250 + seed % 590
        e.shape(oval(x, y, 2.6 + seed % 3, 2.2 + seed % 2), ink, inside=True, opacity=0.55)


def round_teapot(e: Easel, clay: str, glaze: str) -> None:
    """A round pot with a bamboo handle over the top."""
    e.shadow(540, FOOT + 2, 320, 48)
    e.tube(
        smooth(
            [(316, 430), (300, 300), (390, 178), (500, 150), (610, 178), (700, 300), (684, 430)]
        ),
        26,
        "#b98a4e",
    )
    spout = smooth([(640, 640), (760, 600), (806, 500), (838, 452)])
    back = smooth([(876, 470), (846, 560), (800, 660), (668, 740)])
    e.shape(spout + back, toned(glaze, 0.9), light=ROUND)
    body = [
        (96, 412),
        (200, 440),
        (272, 540),
        (278, 640),
        (222, 760),
        (140, FOOT),
        (140, FOOT),
        (132, FOOT + 14),
        (0, FOOT + 16),
    ]
    e.shape(turned(500, body), clay, light=ROUND, keep=True)
    _dip(e, glaze, 668)
    _speckle(e, toned(glaze, 0.6))
    e.shape(
        turned(500, [(0, 356), (70, 362), (112, 392), (122, 420), (0, 430)]), glaze, light=ROUND
    )
    e.shape(
        turned(500, [(0, 312), (26, 318), (34, 338), (22, 356), (18, 368), (0, 370)]),
        toned(glaze, 0.8),
        light=ROUND,
    )


def kyusu(e: Easel, clay: str, glaze: str) -> None:
    """A side-handled pot."""
    e.shadow(520, FOOT + 2, 330, 46)
    e.shape(
        smooth([(700, 580), (780, 552), (846, 500)]) + smooth([(872, 532), (810, 620), (716, 668)]),
        toned(clay, 0.86),
    )
    e.shape(
        [(330, 640), (120, 470), (96, 486), (90, 516), (310, 712)],
        clay,
        light=((0, 1.1), (1, 0.78)),
    )
    e.shape(oval(107, 494, 26, 18, tilt=-52), toned(clay, 0.62))
    body = [
        (120, 470),
        (212, 496),
        (262, 580),
        (262, 690),
        (204, 800),
        (150, FOOT + 10),
        (150, FOOT + 10),
        (0, FOOT + 14),
    ]
    e.shape(turned(500, body), clay, light=ROUND, keep=True)
    for row in (640, 668, 696):
        e.line(
            smooth([(230, row - 12), (500, row + 12), (770, row - 12)]),
            5,
            toned(clay, 0.74),
            inside=True,
        )
    e.shape(
        turned(500, [(0, 430), (100, 438), (142, 466), (150, 484), (0, 496)]), glaze, light=ROUND
    )
    e.shape(oval(500, 422, 34, 30), glaze)
    e.shape(oval(490, 412, 12, 9), toned(glaze, 1.3))


def mug(e: Easel, clay: str, glaze: str) -> None:
    """A mug with an ear, steaming."""
    e.shadow(540, FOOT + 2, 280, 46)
    e.tube(
        smooth([(660, 500), (760, 480), (820, 560), (800, 670), (740, 730), (652, 724)]), 46, glaze
    )
    body = [
        (196, 420),
        (196, 420),
        (198, 560),
        (192, 720),
        (170, FOOT + 4),
        (150, FOOT + 16),
        (0, FOOT + 20),
    ]
    e.shape(turned(480, body), clay, light=ROUND, keep=True)
    _dip(e, glaze, 720, runs=(0, 10, 34, 8, 20, 0, 14))
    _speckle(e, toned(glaze, 0.62))
    e.shape(oval(480, 420, 196, 34), toned(glaze, 0.72))
    e.shape(oval(480, 428, 178, 24), "#8a4a1f")
    e.shape(oval(440, 424, 60, 7), "#a9652f")
    for x in (420, 500):
        e.line(smooth([(x, 360), (x + 26, 310), (x - 6, 256), (x + 24, 196)]), 9, "#fdfaf3")


def tumblers(e: Easel, clay: str, glaze: str) -> None:
    """Two tumblers without handles, one behind the other, dipped in opposite glazes."""
    for cx, foot, top, body, dip in (
        (610, 792, 430, glaze, clay),
        (400, FOOT + 8, 446, clay, glaze),
    ):
        e.shadow(cx + 40, foot + 2, 190, 40)
        shape = [
            (156, top),
            (156, top),
            (148, top + 160),
            (128, foot - 30),
            (112, foot + 6),
            (60, foot + 14),
            (0, foot + 14),
        ]
        e.shape(turned(cx, shape), body, light=ROUND, keep=True)
        edge = [(cx - 200, top + 190), (cx + 200, top + 150), (cx + 200, 0), (cx - 200, 0)]
        e.shape(edge, dip, light=ROUND, inside=True)
        e.shape(oval(cx, top, 156, 28), toned(dip, 0.8))
        e.shape(oval(cx, top + 6, 142, 21), toned(dip, 0.52))


def tea_bowl(e: Easel, clay: str, glaze: str) -> None:
    """A wide bowl with green tea in it."""
    e.shadow(540, FOOT + 4, 300, 46)
    body = [
        (290, 480),
        (290, 480),
        (282, 580),
        (226, 720),
        (130, 800),
        (110, 812),
        (110, 812),
        (116, FOOT + 16),
        (116, FOOT + 16),
        (0, FOOT + 20),
    ]
    e.shape(turned(500, body), clay, light=ROUND, keep=True)
    _dip(e, glaze, 610, runs=(0, 46, 10, 70, 24, 84, 30, 52, 6))
    for row in (560, 640):
        e.line(
            smooth([(200, row), (500, row + 22), (800, row)]), 4, toned(glaze, 0.84), inside=True
        )
    e.shape(oval(500, 480, 290, 58), toned(glaze, 1.1))
    e.shape(oval(500, 484, 274, 48), toned(glaze, 0.6))
    e.shape(oval(500, 498, 240, 34), "#7f9a3f")
    for x, y, r in ((430, 494, 9), (470, 506, 6), (560, 500, 8), (520, 490, 5), (600, 496, 6)):
        e.shape(oval(x, y, r * 2, r), "#a9bd6c")


def gaiwan(e: Easel, clay: str, glaze: str) -> None:
    """A lidded bowl on its saucer, with a painted branch."""
    e.shadow(540, FOOT + 12, 330, 44)
    e.shape(
        turned(500, [(310, 790), (310, 790), (250, 830), (120, 856), (0, 860)]),
        toned(clay, 0.94),
        light=ROUND,
    )
    e.shape(oval(500, 790, 310, 40), toned(clay, 1.06))
    e.shape(oval(500, 794, 180, 22), toned(clay, 0.84))
    body = [
        (236, 470),
        (236, 470),
        (214, 600),
        (160, 730),
        (104, 786),
        (104, 786),
        (100, 800),
        (0, 804),
    ]
    e.shape(turned(500, body), clay, light=ROUND, keep=True)
    e.line(smooth([(350, 720), (440, 660), (520, 560), (640, 520)]), 8, glaze, inside=True)
    for x, y in ((430, 640), (480, 600), (540, 570), (590, 520), (450, 700), (560, 620)):
        for dx, dy in ((0, -15), (14, -4), (9, 12), (-9, 12), (-14, -4)):
            e.shape(oval(x + dx, y + dy, 9, 9), "#c8553d", inside=True)
        e.shape(oval(x, y, 6, 6), "#f4d58d", inside=True)
    e.shape(turned(500, [(0, 360), (90, 372), (190, 424), (218, 462), (0, 476)]), clay, light=ROUND)
    e.shape(
        turned(500, [(0, 318), (52, 320), (56, 328), (34, 350), (30, 372), (0, 376)]),
        glaze,
        light=ROUND,
    )
    e.line(smooth([(300, 452), (500, 474), (700, 452)]), 6, glaze)


def jug(e: Easel, clay: str, glaze: str) -> None:
    """A milk jug with a lip."""
    e.shadow(530, FOOT + 2, 250, 44)
    e.tube(smooth([(340, 480), (232, 470), (190, 570), (230, 680), (330, 716)]), 40, clay)
    outline = smooth(
        [
            (370, 340),
            (370, 340),
            (352, 470),
            (318, 620),
            (340, 770),
            (400, FOOT + 14),
            (500, FOOT + 20),
            (600, FOOT + 14),
            (664, 770),
            (684, 620),
            (644, 470),
            (650, 420),
            (742, 318),
            (742, 318),
            (560, 356),
            (370, 340),
        ]
    )
    e.shape(outline, clay, light=ROUND, keep=True)
    e.shape(
        [
            (150, 640),
            *smooth([(150, 640), (380, 600), (560, 668), (850, 616)]),
            (850, 1000),
            (150, 1000),
        ],
        glaze,
        light=ROUND,
        inside=True,
    )
    e.shape(
        smooth(
            [
                (370, 340),
                (480, 318),
                (620, 322),
                (742, 318),
                (742, 318),
                (640, 372),
                (480, 374),
                (370, 340),
            ]
        ),
        toned(clay, 0.7),
    )
