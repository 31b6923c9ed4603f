"""A mail with every block in a real browser: it fits a phone, by day and by night."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Browser

from tests.unit.messages.blocks.letters import EVERYTHING, LINE, PEOPLE, SHOWN, letter
from wagtail_triggers.messages.look import contrast

#: Where to put pictures of the mails, for whoever wants to look at them.
PICTURES = os.environ.get("TRIGGERS_PICTURES", "")
#: As a mail program shows a picture of any shape; nothing is loaded.
DRAWN = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='900' height='900'%3E"
    "%3Crect width='900' height='900' fill='%23c9b8a0'/%3E%3C/svg%3E"
)
LONG = {**LINE, "name": "Donaudampfschifffahrtsgesellschaftskapitänsmützenteekanne", "quantity": 12}
DATA = {
    **EVERYTHING,
    "cart": {**EVERYTHING["cart"], "lines": [LINE, LONG]},
    "order": {**EVERYTHING["order"], "lines": [LINE, LONG]},
    "coupon": {**EVERYTHING["coupon"], "code": "SPRING-7K2M-0ADN-Q9XE-4TRW-SPRING-7K2M-0ADN"},
    "wt_picked": {name: [LINE, LONG, LINE] for name in ("p1", "p2")},
}
#: The lowest contrast of any words with what lies behind them, by computed styles.
DARKEST = """
() => {
  const read = colour => colour.match(/[\\d.]+/g).map(Number);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const [r, g, b, a = 1] = read(getComputedStyle(one).backgroundColor);
      if (a > 0.5) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (own && element.getClientRects().length && getComputedStyle(element).opacity > 0.5)
      found.push([element.textContent.trim().slice(0, 40), read(getComputedStyle(element).color), behind(element)]);
  }
  return found;
}
"""  # noqa: E501


def as_hex(channels: list[float]) -> str:
    return "#" + "".join(f"{round(one):02x}" for one in channels[:3])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_mail_of_every_block_fits_a_phone_and_can_be_read(
    browser: Browser, scheme: str, language: str
) -> None:
    html = letter(*SHOWN.items(), data=DATA, language=language).html
    html = re.sub(r'src="[^"]*"', f'src="{DRAWN}"', html)
    for width in (375, 700):
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]  # one of its words
        )
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        weak = [
            (words, as_hex(ink), as_hex(ground))
            for words, ink, ground in page.evaluate(DARKEST)
            if contrast(as_hex(ink), as_hex(ground)) < 4.5
        ]
        assert weak == []
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/mail-{language}-{scheme}-{width}.png", full_page=True)
        page.close()


def test_mail_without_any_data_is_no_row_of_gaps(browser: Browser) -> None:
    html = letter(*SHOWN.items(), data=PEOPLE).html
    page = browser.new_page(viewport={"width": 600, "height": 900})
    page.set_content(html)
    tall: int = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.wt-card')].map(c => c.offsetHeight))"
    )
    assert page.evaluate("document.documentElement.scrollHeight") < 1400
    assert tall < 500
    page.close()
