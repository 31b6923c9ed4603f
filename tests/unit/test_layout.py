"""The rules of the house that no linter knows, read from the source itself."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wagtail_triggers"
VAGUE_NAMES = {"utils", "helpers", "manager", "managers", "common", "misc"}
LONGEST_FILE = 500
LONGEST_FUNCTION = 50
#: Attributes that read the machine's clock, on the names that have them.
CLOCKS = {"now", "utcnow", "today"}
#: These read it when they are called without a moment to convert.
CONVERTERS = {"localdate", "localtime"}
CLOCK_OWNERS = {"timezone", "datetime", "date"}
#: Mail clients know no style sheets, so what goes into a mail may be styled in place.
MAIL_TEMPLATES = PACKAGE / "templates" / "wagtail_triggers" / "email"
INLINE = re.compile(
    r"<style\b|\sstyle\s*=|<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+\s*=", re.IGNORECASE
)


def source_files(*folders: str, migrations: bool = False) -> list[Path]:
    found = [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    ]
    return sorted(path for path in found if migrations or "migrations" not in path.parts)


def package_trees() -> Iterator[tuple[str, ast.Module]]:
    for path in source_files("wagtail_triggers"):
        yield str(path.relative_to(PACKAGE)), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every (module, name) that a module imports; the name is empty for `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring, which nobody should have to keep short."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def contracts() -> dict[str, dict[str, Any]]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract for contract in found}


def test_file_names_everywhere_say_what_the_file_does() -> None:
    files = source_files("wagtail_triggers", "example_site", "tests")
    vague = [path for path in files if VAGUE_NAMES & {path.stem, path.parent.name}]
    assert vague == []


def test_files_everywhere_are_short_enough_to_read() -> None:
    files = source_files("wagtail_triggers", "example_site", "tests")
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_of_the_package_are_short_enough_to_read() -> None:
    lengths = {
        f"{name}:{node.lineno} {node.name}": length(node)
        for name, tree in package_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def clock_readings(tree: ast.Module) -> Iterator[int]:
    """Lines that read, or hand on, a clock of Django's or the standard library's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            # `timezone.now` and `datetime.datetime.now`.
            if getattr(node.value, "id", getattr(node.value, "attr", "")) in CLOCK_OWNERS:
                yield node.lineno
        elif isinstance(node, ast.Call) and not node.args + node.keywords:
            if getattr(node.func, "id", getattr(node.func, "attr", "")) in CONVERTERS:
                yield node.lineno
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if node.module == "django.utils.timezone" and CLOCKS & names:
                yield node.lineno


def test_time_in_the_package_comes_from_the_clock_alone() -> None:
    readings = [
        f"{name}:{line}"
        for name, tree in package_trees()
        if name != "core/clock.py"
        for line in clock_readings(tree)
    ]
    assert readings == []


@pytest.mark.parametrize(
    "source",
    [
        "timezone.now()",
        "field(default=timezone.now)",
        "datetime.datetime.now(tz=UTC)",
        "date.today()",
        "timezone.localtime()",
        "from django.utils.timezone import now",
    ],
)
def test_clock_pattern_on_a_reading_finds_it(source: str) -> None:
    assert list(clock_readings(ast.parse(source))) == [1]


@pytest.mark.parametrize("source", ["clock.now()", "timezone.localtime(moment)", "Now()"])
def test_clock_pattern_on_our_clock_and_conversions_finds_nothing(source: str) -> None:
    assert list(clock_readings(ast.parse(source))) == []


def test_base_page_of_wagtail_is_never_imported_because_it_is_swappable() -> None:
    importers = [
        name for name, tree in package_trees() if ("wagtail.models", "Page") in imports(tree)
    ]
    assert importers == []


def test_http_of_the_standard_library_is_used_in_core_http_only() -> None:
    forbidden = {("urllib.request", ""), ("urllib", "request"), ("http.client", "")}
    importers = [
        name
        for name, tree in package_trees()
        if name != "core/http.py"
        for module, what in imports(tree)
        if (module, what) in forbidden or module in {"urllib.request", "http.client"}
    ]
    assert importers == []


def test_templates_of_pages_have_no_inline_style_or_script() -> None:
    pages = [
        path
        for path in (PACKAGE / "templates").rglob("*.html")
        if MAIL_TEMPLATES not in path.parents
    ]
    found = {
        str(path.relative_to(PACKAGE)): INLINE.findall(path.read_text(encoding="utf-8"))
        for path in pages
    }
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "page",
    ["<p style='x'>", "<style>", "<script>", '<a onclick="x()">', "<script type='module'>"],
)
def test_inline_pattern_on_an_inline_style_or_script_finds_it(page: str) -> None:
    assert INLINE.search(page)


def test_inline_pattern_on_linked_files_and_classes_finds_nothing() -> None:
    page = '<link rel="stylesheet" href="a.css"><script src="a.js"></script><p class="style">on = 1'
    assert not INLINE.search(page)


def test_rooms_without_wagtail_are_all_named_in_the_contract() -> None:
    without = {"consent", "contacts", "engine", "events", "segments"}
    existing = {f"wagtail_triggers.{room}" for room in without if (PACKAGE / room).is_dir()}
    assert set(contracts()["wagtail"]["source_modules"]) == existing


def test_integrations_once_they_exist_have_a_contract() -> None:
    assert ("integrations" in contracts()) == (PACKAGE / "integrations").is_dir()


def test_rooms_of_the_package_all_hold_something() -> None:
    empty = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*")
        if path.is_dir()
        and path.name != "__pycache__"
        and "node_modules" not in path.parts
        and not any(item.name not in {"__init__.py", "__pycache__"} for item in path.iterdir())
    ]
    assert empty == []
