"""The documentation says what the code does: generated pages are fresh, examples are valid."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from docs import generate_blocks, generate_events, generate_settings
from wagtail_triggers.conf import QUEUES
from wagtail_triggers.events.types import event_types
from wagtail_triggers.exceptions import UnknownIdentifier
from wagtail_triggers.journeys.graph import Graph
from wagtail_triggers.journeys.steps.registry import steps
from wagtail_triggers.journeys.validate import validate
from wagtail_triggers.messages.liquid import HTML, check
from wagtail_triggers.messages.samples import variables_for
from wagtail_triggers.messages.sandbox import TAGS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
_FENCE = re.compile(
    r"^( *)```(?:\{code-block\} )?(\w+)\n(?: *:\w+:[^\n]*\n)*(.*?)^\1```", re.S | re.M
)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")


class World:
    """Surroundings in which every event is known, and every template exists."""

    def events(self) -> Mapping[str, str]:
        return {name: str(kind.label) for name, kind in event_types.all().items()}

    def payload_schema(self, event: str) -> Mapping[str, Any] | None:
        try:
            return event_types.get(event).payload.model_json_schema()
        except UnknownIdentifier:
            return None

    def objects_of(self, event: str) -> frozenset[str]:
        return event_types.get(event).objects()

    def facts(self) -> Mapping[str, str]:
        return {"orders_count": "number"}

    def channels(self) -> Mapping[str, str]:
        return {"email": "Email"}

    def template_exists(self, template: str) -> bool:
        return True

    def lacks_languages(self, template: str) -> tuple[str, ...]:
        return ()

    def template_label(self, template: str) -> str:
        return template

    def lacks_text(self, template: str, channel: str) -> tuple[str, ...]:
        return ()

    def segments(self) -> Mapping[str, str]:
        return {}

    def journeys(self) -> Mapping[str, str]:
        return {}

    def takes_calls(self, journey: str) -> bool:
        return False


def blocks(page: Path, language: str) -> Iterator[str]:
    """The code blocks of a page in one language, without the indentation of a list around them."""
    for indent, found, body in _FENCE.findall(page.read_text(encoding="utf-8")):
        if found == language:
            yield "\n".join(line.removeprefix(indent) for line in body.splitlines())


def test_events_page_is_what_the_event_types_say() -> None:
    assert generate_events.PAGE.read_text(encoding="utf-8") == generate_events.page(), (
        "docs/reference/events.md is stale. Run: python docs/generate_events.py"
    )


def test_blocks_page_is_what_the_kinds_say() -> None:
    written = generate_blocks.PAGE.read_text(encoding="utf-8")
    assert written == generate_blocks.page(), "run python docs/generate_blocks.py"


def test_settings_page_is_what_conf_says() -> None:
    assert generate_settings.PAGE.read_text(encoding="utf-8") == generate_settings.page(), (
        "docs/reference/settings.md is stale. Run: python docs/generate_settings.py"
    )


def test_checks_page_has_every_check_and_no_other() -> None:
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("wagtail_triggers/**/*.py")]
    ids = re.compile(r'\bid="(wagtail_triggers\.[EW]\d+)"')
    raised = {one for text in sources for one in ids.findall(text)}
    page = (DOCS / "reference" / "checks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\S+)$", page, re.M)) == raised


def test_liquid_page_has_every_filter_and_tag() -> None:
    page = (DOCS / "reference" / "liquid.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert set(HTML.filters) - named == set()
    assert {tag for tag in TAGS if not re.search(rf"\{{% {tag}\b", page)} == {"#"}
    assert "{% #" in page


def test_tasks_page_has_every_task_with_its_queue() -> None:
    page = (DOCS / "reference" / "tasks.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `(wagtail_triggers\.\w+)` \| `([\w-]+)` ", page, re.M)) == QUEUES


def test_graph_page_has_every_kind_of_step() -> None:
    page = (DOCS / "reference" / "graph.md").read_text(encoding="utf-8")
    ours = {
        name
        for name, kind in steps.all().items()
        if kind.__module__.startswith("wagtail_triggers.")
    }
    assert {name for name in ours if f"### {name}\n" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_journeys_in_the_docs_could_be_published(page: Path) -> None:
    graphs = [json.loads(text) for text in blocks(page, "json") if '"nodes"' in text]
    for graph in graphs:
        assert validate(Graph.from_json(graph), World()) == ()


@pytest.mark.parametrize(
    ("page", "event"),
    [("tutorial/install.md", "order_placed"), ("how-to/write-a-template.md", "cart_abandoned")],
)
@pytest.mark.parametrize("language", ["html", "liquid"])
def test_templates_in_the_docs_could_be_published(page: str, event: str, language: str) -> None:
    sources = list(blocks(DOCS / page, language))
    assert sources
    variables = variables_for(event)
    assert [check(text, variables=variables, field="body") for text in sources] == [
        [] for _ in sources
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_python_in_the_docs_can_be_read_and_names_what_there_is(page: Path) -> None:
    missing = set()
    for text in blocks(page, "python"):
        for node in ast.walk(ast.parse(textwrap.dedent(text))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wagtail_trig"):
                module = import_module(node.module or "")
                missing |= {one.name for one in node.names if not hasattr(module, one.name)}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_between_pages_lead_to_a_page(page: Path) -> None:
    targets = set(_LINK.findall(page.read_text(encoding="utf-8")))
    assert {name for name in targets if not (page.parent / name).is_file()} == set()
