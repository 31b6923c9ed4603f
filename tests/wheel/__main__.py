"""`python3 -m tests.wheel dist/NAME.whl`: the wheel, not the checkout, in a fresh Wagtail project.

Makes an environment with nothing but the wheel and what it asks for, adds to what `wagtail start`
makes the settings that the README names, and lets one order become one mail. Also looks into the
wheel: everything that is not Python must be in it, and no test.
"""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wagtail_triggers"

#: What README.md tells a shop to add to its settings.
SETTINGS = """
from wagtail_triggers.conf import beat_schedule

INSTALLED_APPS += ["wagtail.contrib.settings", "wagtail_triggers"]
CELERY_BROKER_URL = "memory://"
CELERY_BEAT_SCHEDULE = {**beat_schedule()}
WAGTAIL_TRIGGERS_POSTAL_ADDRESS = "Bare Shop, 1 Sample Street, Berlin"
"""

#: What a project with Celery has anyway, from Celery's own guide for Django.
CELERY = """
import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bare.settings.dev")
app = Celery("bare")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""

#: What only this check needs: mails as files. And what a check asks of a project on SQLite.
LOCAL = """
from .base import DATABASES

DATABASES["default"]["OPTIONS"] = {{
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;",
}}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = {folder!r}
DEFAULT_FROM_EMAIL = "shop@bare.example"
"""

URLS = """
urlpatterns.insert(0, path("triggers/", include("wagtail_triggers.urls")))
"""


def main(wheel: Path) -> None:
    """Check one wheel.

    Raises:
        SystemExit: Something is missing from it, or it does not work; the message says what.
    """
    started = time.monotonic()
    missing, foreign = compare(set(zipfile.ZipFile(wheel).namelist()))
    if missing or foreign:
        raise SystemExit(
            f"{wheel.name} lacks {sorted(missing)} and should not have {sorted(foreign)}. "
            "See tool.hatch.build in pyproject.toml."
        )
    with tempfile.TemporaryDirectory(prefix="triggers-wheel-") as name:
        folder = Path(name)
        python = install(wheel, folder / "venv")
        project, mails = make_project(python, folder)
        for command in (
            ["migrate", "--verbosity", "0"],
            ["check", "--fail-level", "WARNING"],
            ["makemigrations", "--check", "--dry-run"],
        ):
            call([python, "manage.py", *command], project)
        call([python, "story.py"], project)
        # The second tick must find nothing left to do.
        for _ in range(2):
            call([python, "manage.py", "triggers_tick"], project)
        check_mails(mails)
    print(f"wheel: ok, one order became one mail ({time.monotonic() - started:.0f} s)")


def compare(names: set[str]) -> tuple[set[str], set[str]]:
    """What a wheel with these names lacks, and what it has but should not."""
    wanted = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file()
        and not {"__pycache__", "static_src"} & set(path.parts)
        and path.suffix != ".po~"
    }
    wanted.add("wagtail_triggers/py.typed")
    ours = {name for name in names if name.startswith("wagtail_triggers/")}
    metadata = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    return wanted - names, (ours - wanted) | (names - ours - metadata)


def install(wheel: Path, venv: Path) -> Path:
    """An environment with only the wheel and its requirements; returns its Python."""
    call([sys.executable, "-m", "venv", str(venv)], ROOT)
    python = venv / "bin" / "python"
    call([python, "-m", "pip", "install", "--quiet", str(wheel.resolve())], venv)
    # pip is run once more so that two packages that exclude each other are noticed.
    call([python, "-m", "pip", "check"], venv)
    return python


def make_project(python: Path, folder: Path) -> tuple[Path, Path]:
    """A project by `wagtail start` with our settings; returns it and the folder of its mails."""
    project, mails = folder / "shop", folder / "mails"
    project.mkdir()
    mails.mkdir()
    call([python.with_name("wagtail"), "start", "bare", "."], project)
    for name, text in (
        ("settings/base.py", SETTINGS),
        ("settings/local.py", LOCAL.format(folder=str(mails))),
        ("celery.py", CELERY),
        ("__init__.py", "from .celery import app as celery_app\n"),
        ("urls.py", URLS),
    ):
        with (project / "bare" / name).open("a", encoding="utf-8") as file:
            file.write(text)
    shutil.copy(Path(__file__).with_name("story.py"), project)
    return project, mails


def check_mails(folder: Path) -> None:
    """Exactly one mail was sent, to the buyer, about the order."""
    # The backend writes each mail, then a line of dashes.
    texts = [
        part.strip()
        for path in folder.iterdir()
        for part in path.read_text(encoding="utf-8").split("-" * 79)
        if part.strip()
    ]
    if len(texts) != 1:
        raise SystemExit(f"Exactly one mail should have been sent; there are {len(texts)}.")
    mail = email.message_from_string(texts[0], policy=email.policy.default)
    body = mail.get_body(("plain",))
    to = [address.addr_spec for address in mail["To"].addresses]
    found = (to, mail["Subject"], "Green tea" in body.get_content() if body else False)
    if found != (["anna@buyer.example"], "Thank you, Anna", True):
        raise SystemExit(f"The mail is not the one expected: {found}\n{texts[0]}")


def call(command: Sequence[str | Path], folder: Path) -> None:
    """Run a command in `folder`, where no checkout can be imported; stop if it fails."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    print("$", *(Path(part).name if isinstance(part, Path) else part for part in command))
    done = subprocess.run([str(part) for part in command], cwd=folder, env=clean)
    if done.returncode:
        raise SystemExit(f"That failed with exit code {done.returncode}; its words are above.")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        raise SystemExit("Usage: python3 -m tests.wheel dist/NAME.whl")
    main(Path(sys.argv[1]))
