"""What is in a body travels: pictures by their contents, links by their path; and the commands."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Locale, Site

from tests.integration.test_bundles import default_site, elsewhere, imported, reminder, series
from wagtail_triggers.exceptions import BundleError
from wagtail_triggers.journeys.bundles.exporting import export
from wagtail_triggers.journeys.bundles.gallery import recipes
from wagtail_triggers.journeys.bundles.importing import install
from wagtail_triggers.journeys.bundles.schema import read_bundle
from wagtail_triggers.journeys.bundles.survey import Survey
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import Template

pytestmark = pytest.mark.django_db


def picture(title: str = "Teapot", colour: str = "white") -> Any:
    """A picture of the library."""
    file = get_test_image_file(filename=f"{title}.png", colour=colour)
    made = get_image_model().objects.create(title=title, file=file)
    made.get_file_hash()  # as an upload in the admin does
    return made


def with_body(*blocks: tuple[str, Any]) -> Journey:
    """A journey whose one message has these blocks."""
    row = series(reminder())
    letter = Template.objects.get()
    letter.body = list(blocks)
    letter.save_revision()
    return row


def body_in(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["templates"][0]["translations"]["en"]["body"]
    return found


def test_picture_is_found_again_by_what_is_in_it_whatever_its_id() -> None:
    with elsewhere():
        text = export(with_body(("image", {"image": picture(), "alt": "A pot", "url": ""})))
    assert body_in(text)[0]["value"]["image"]["title"] == "Teapot"
    other, same = picture("Other", "red"), picture("The same teapot")
    imported(text)
    (block,) = Template.objects.get().get_latest_revision_as_object().body
    assert block.value["image"] == same != other
    # And back: the picture has another name here.
    again = export(Journey.objects.get())
    assert again == text.replace('"Teapot"', '"The same teapot"')


def test_picture_that_is_not_here_leaves_its_place_empty_and_is_said() -> None:
    with elsewhere():
        text = export(with_body(("image", {"image": picture(), "alt": "A pot", "url": ""})))
    survey = Survey(read_bundle(text.encode()), default_site())
    assert [one.what for one in survey.missing] == ["The picture “Teapot” is not here."]
    install(survey)
    (block,) = Template.objects.get().get_latest_revision_as_object().body
    assert (block.value["image"], block.value["alt"]) == (None, "A pot")


def test_blocks_within_blocks_keep_their_order_and_lose_their_ids() -> None:
    inner = [("text", "<p>Left</p>"), ("button", {"text": "Go", "url": "/sale/"})]
    condition = {
        "variable": "contact.orders_count", "operator": "above", "value": "0",
        "then": inner, "otherwise": [],
    }  # fmt: skip
    links = [{"network": "instagram", "url": "https://example.com/a", "label": ""}]
    with elsewhere():
        row = with_body(("condition", condition), ("social", {"lead": "Hi", "links": links}))
        text = export(row)
    first, second = body_in(text)
    assert '"id"' not in json.dumps([first, second])
    assert [one["type"] for one in first["value"]["then"]] == ["text", "button"]
    assert second["value"]["links"] == links
    assert export(imported(text)) == text


def test_link_to_a_page_travels_as_its_path() -> None:
    page = default_site().root_page
    html = f'<p><a linktype="page" id="{page.pk}">Home</a> <a linktype="page" id="99999">?</a></p>'
    with elsewhere():
        text = export(with_body(("text", html)))
    assert body_in(text)[0]["value"] == '<p><a href="/">Home</a> <a>?</a></p>'
    assert export(imported(text)) == text


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ({"type": "image", "value": {"image": 7}}, "must be an object"),
        ({"type": "image", "value": {"image": {"file_hash": "x", "path": "../../x"}}}, "named by"),
        ({"type": "image", "value": {"image": {"file_hash": ["x"]}}}, "named by"),
        ({"type": "button", "value": {"text": "a", "onclick": "b"}}, "no setting “onclick”"),
        ({"type": "button", "value": "x"}, "must be an object"),
        ({"type": "text", "value": {"a": 1}}, "must be a text"),
        ({"type": "text"}, "“type” and “value”"),
        ({"type": "text", "value": "a", "id": "b"}, "“type” and “value”"),
        ({"type": ["text"], "value": "a"}, "no block"),
        ("text", "must be an object"),
        ({"type": "social", "value": {"links": {"0": 1}}}, "must be a list"),
        ({"type": "recommendations", "value": {"limit": "many"}}, "cannot be read"),
    ],
)
def test_block_that_is_none_is_refused_with_its_place(block: Any, why: str) -> None:
    with elsewhere():
        document = json.loads(export(series(reminder())))
    document["templates"][0]["translations"]["en"]["body"] = [block]
    with pytest.raises(BundleError) as raised:
        Survey(read_bundle(json.dumps(document).encode()), default_site())
    assert why in str(raised.value)
    assert "en.body.0" in str(raised.value)


@pytest.mark.parametrize("name", [one.identifier for one in recipes()])
def test_recipe_exported_and_imported_again_gives_the_same_bytes(name: str) -> None:
    for code in ("ru", "zh-hans"):
        Locale.objects.get_or_create(language_code=code)
    recipe = next(one for one in recipes() if one.identifier == name)
    with elsewhere():
        text = export(install(Survey(recipe.bundle, default_site())).journey)
    assert export(imported(text)) == text


def test_survey_of_a_large_bundle_takes_a_fixed_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    with elsewhere():
        small = read_bundle(export(series(reminder("A"))).encode())
        large = read_bundle(export(series(*(reminder(f"S{n}") for n in range(8)))).encode())
    for bundle in (small, large):
        with django_assert_max_num_queries(9):
            survey = Survey(bundle, default_site())
            assert len(survey.templates) == len(bundle.templates)
            assert survey.missing == ()


def told(name: str, *arguments: str, **options: Any) -> str:
    """What a command says."""
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


def test_commands_write_a_file_and_read_it(tmp_path: Path) -> None:
    with elsewhere():
        row = series(reminder())
        path = tmp_path / "cart.json"
        for wanted in (str(row.uid), str(row.pk), row.name):
            assert str(path) in told("triggers_export", wanted, to=str(path))
        text = path.read_text(encoding="utf-8")
        assert text == export(row)
        told("triggers_export", row.name, to=str(tmp_path))
        assert (tmp_path / "abandoned-cart.json").read_text(encoding="utf-8") == text
    said = told("triggers_import", str(path), dry_run=True)
    assert "template  Your cart [en]" in said
    assert "topic     carts (opt_in)" in said
    assert Journey.objects.count() == 0
    said = told("triggers_import", str(path))
    assert f"a draft, with 1 templates; uid {row.uid}" in said
    assert export(Journey.objects.get()) == text
    assert "(there, the same)" in told("triggers_import", str(path), dry_run=True)


def test_export_of_all_gives_each_journey_a_file(tmp_path: Path) -> None:
    for _time in range(2):
        series(reminder(), name="Same name")
    series(reminder(), name="购物车")
    told("triggers_export", all=True, to=str(tmp_path / "new"))
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert len(names) == 3
    assert names[0] == "journey.json"


def test_import_reads_recipes_and_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told("triggers_import", recipe="shipping-notice")
    made = Journey.objects.get()
    call_command("triggers_export", str(made.uid))
    text = capsys.readouterr().out
    assert text == export(made)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    told("triggers_import", "-", existing="copy")
    assert Template.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "arguments", "options", "why"),
    [
        ("triggers_export", [], {}, "Name one journey"),
        ("triggers_export", ["x"], {"all": True}, "Name one journey"),
        ("triggers_export", ["nothing"], {}, "No journey has"),
        ("triggers_export", [], {"all": True}, "needs a folder"),
        ("triggers_import", [], {}, "Name a file"),
        ("triggers_import", ["/nowhere.json"], {}, "cannot be read"),
        ("triggers_import", [], {"recipe": "nothing"}, "There are: welcome-series"),
        ("triggers_import", [], {"recipe": "welcome-series", "site": "x.example"}, "not exactly"),
    ],
)
def test_command_that_cannot_says_what_to_do(
    name: str, arguments: list[str], options: dict[str, Any], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        told(name, *arguments, **options)


def test_import_names_the_site_by_its_host(tmp_path: Path) -> None:
    other = Site.objects.create(hostname="b.example", port=8000, root_page=default_site().root_page)
    told("triggers_import", recipe="shipping-notice", site="b.example:8000")
    assert Journey.objects.get().site == other
