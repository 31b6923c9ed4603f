"""A real browser: an installed Chromium, driven by Playwright.

Where there is none the tests are skipped, and `tests/conftest.py` says so in the last lines; with
`CI=true` they fail, because a build that lost its browser must not look green.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import NO_CHROMIUM

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Root may not use the sandbox; the rest keeps the browser from talking to anybody but us.
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
#: Milliseconds that an element or a page may take on a loaded two-core machine.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as `browser`, and try what fails once or twice more.

    A click and a key that come within a frame of each other, on a machine that is busy with three
    other browsers, can miss each other. What is wrong fails three times; the report counts reruns.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of Chromium; skips the test where there is none, fails it where CI=true."""
    chosen = os.environ.get("TRIGGERS_CHROMIUM")
    if chosen and not Path(chosen).exists():
        pytest.fail(f"TRIGGERS_CHROMIUM names {chosen}, which does not exist.")
    found = chosen or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(NO_CHROMIUM)
    pytest.skip(NO_CHROMIUM)


# Until the browser is closed again, Playwright's event loop counts as running in this thread. So it
# lives no longer than this folder's tests.
@pytest.fixture(scope="package")
def browser(chromium_path: str, django_db_setup: None) -> Iterator[Browser]:
    """One browser for the tests of this folder."""
    outside = connections["default"]
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Django refuses the database to a thread with an event loop, not knowing that ours waits.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        # It also keeps other connections there than outside, and what migrations wrote, which each
        # test is given back, hangs on the connection that made the database.
        for name in {"_test_serialized_contents"} & set(vars(outside)):
            setattr(connections["default"], name, getattr(outside, name))
        started = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield started
        started.close()
        connections.close_all()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A fresh page with cookies of its own; an uncaught error in its scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == [], "scripts of the page raised errors"
