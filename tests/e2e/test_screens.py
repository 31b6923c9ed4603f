"""Pictures of every screen of the admin, light and dark, wide and narrow, for docs/screens.

Run where they are wanted anew: `TRIGGERS_PICTURES=docs/screens python3 -m tests
tests/e2e/test_screens.py`. What a picture cannot tell is tested elsewhere.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from tests.admin.conftest import History, clock, history
from tests.admin.test_markup import pages

from .conftest import PATIENCE

__all__ = ["clock", "history"]

FOLDER: Final = os.environ.get("TRIGGERS_PICTURES", "")
SHEETS: Final = (
    ("light", 1280, 900, 4, 400),
    ("dark", 1280, 900, 4, 400),
    ("light", 375, 800, 10, 160),
    ("dark", 375, 800, 10, 160),
)
#: Height of a name under its picture.
LABEL: Final = 16


def screens(history: History) -> dict[str, str]:
    """Every screen, by its name."""
    journey, template = history.journey.pk, history.template.pk
    more = {
        "recipes": reverse("triggers_recipes:gallery"),
        "recipe": reverse("triggers_recipes:recipe", args=["cart-three-reminders"]),
        "import": reverse("triggers_bundles:import"),
        "letters": reverse("triggers_bundles:letters", args=[journey]),
        "rehearsal": reverse("triggers_journeys:rehearsal", args=[journey]),
        "test_send": reverse("triggers_templates:test_send", args=[template]),
        "recompile": reverse("triggers_look:recompile", args=[history.run.site_id]),
        "groups": reverse("wagtailusers_groups:add"),
    }
    found = {**pages(history), **more}
    return {name: url for name, url in found.items() if "preview_on_edit" not in name}


def _page(browser: Browser, scheme: Any, width: int, height: int, url: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{url}/admin/login/")
    page.fill("#id_username", "chief")
    page.fill("#id_password", "chief")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    return page


def _sheet(shots: dict[str, Image.Image], columns: int, width: int) -> Image.Image:
    """All pictures on one sheet, each with its name below."""
    heights = [round(one.height * width / one.width) for one in shots.values()]
    row = max(heights) + LABEL + 8
    rows = -(-len(shots) // columns)
    sheet = Image.new("RGB", (columns * (width + 8) + 8, rows * row + 8), "#777777")
    pen = ImageDraw.Draw(sheet)
    for number, (name, shot) in enumerate(shots.items()):
        left = 8 + number % columns * (width + 8)
        top = 8 + number // columns * row
        small = shot.resize((width, heights[number]), Image.Resampling.LANCZOS)
        sheet.paste(small, (left, top))
        pen.text((left, top + heights[number]), name.removeprefix("triggers_"), fill="white")
    return sheet


@pytest.mark.skipif(not FOLDER, reason="set TRIGGERS_PICTURES to a folder to take pictures")
@pytest.mark.timeout(900)
def test_pictures_of_every_screen_are_taken(
    browser: Browser, live_server: Any, history: History
) -> None:
    User.objects.create_superuser("chief", "chief@example.com", "chief")
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for scheme, width, height, columns, small in SHEETS:
        page = _page(browser, scheme, width, height, live_server.url)
        shots: dict[str, Image.Image] = {}
        for name, url in screens(history).items():
            answer = page.goto(live_server.url + url, wait_until="load")
            assert answer is not None, name
            assert answer.status < 400, name
            page.wait_for_timeout(300)
            shots[name] = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        kind = "wide" if width > 1_000 else "narrow"
        _sheet(shots, columns, small).save(folder / f"{kind}-{scheme}.webp", quality=45, method=6)
        page.context.close()
    assert len(list(folder.glob("*.webp"))) == len(SHEETS)
