"""The recipes that we ship: each file is whole, in three languages, and ready to be published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wagtail.models import Locale, Site

from wagtail_triggers.exceptions import BundleError, RegistrationError
from wagtail_triggers.journeys.bundles import gallery
from wagtail_triggers.journeys.bundles.gallery import CATEGORIES, OWN, Recipe, recipes
from wagtail_triggers.journeys.bundles.importing import install
from wagtail_triggers.journeys.bundles.schema import read_bundle, written
from wagtail_triggers.journeys.bundles.survey import Survey
from wagtail_triggers.messages.lint import lint
from wagtail_triggers.messages.models import MessageClass, Template
from wagtail_triggers.messages.preview import preview

pytestmark = pytest.mark.django_db

LANGUAGES = ("en", "ru", "zh-hans")
#: What the plan asks for, and which file answers it.
ASKED = {
    "R1": "welcome-series",
    "E7": "cart-three-reminders",
    "E8": "cart-free-shipping",
    "E9": "cart-same-letter-with-offer",
    "R4": "post-purchase-series",
    "R5": "post-purchase-related",
    "R6": "order-confirmation",
    "R7": "founder-thank-you",
    "R8": "shipping-notice",
    "R9": "review-request",
    "E11": "resend-to-non-openers",
    "R24": "did-you-forget",
}
FILES = sorted(OWN.glob("*.json"))


@pytest.fixture
def _coupons(settings: object) -> None:
    settings.WAGTAIL_TRIGGERS_COUPONS = {  # type: ignore[attr-defined]
        "BACKEND": "wagtail_triggers.core.memory_coupons.MemoryCoupons"
    }


def own() -> list[Recipe]:
    return [one for one in recipes() if one.identifier in ASKED.values()]


def test_recipes_that_were_asked_for_are_all_there_in_the_order_of_the_gallery() -> None:
    assert {one.identifier for one in own()} == set(ASKED.values())
    assert [path.stem for path in FILES] == sorted(ASKED.values())
    assert {one.about.category for one in own()} == set(CATEGORIES)
    assert own()[0].identifier == "welcome-series"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recipe_file_is_written_as_an_export_writes_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert written(json.loads(text)) == text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("_coupons")
def test_recipe_in_three_languages_lints_clean_and_is_short_enough(path: Path) -> None:
    for code in LANGUAGES:
        Locale.objects.get_or_create(language_code=code)
    (recipe,) = [one for one in own() if one.identifier == path.stem]
    assert set(recipe.about.title) == set(recipe.about.summary) == set(LANGUAGES)
    survey = Survey(recipe.bundle, Site.objects.get(is_default_site=True))
    assert survey.problems == ()
    assert survey.missing == ()
    made = install(survey)
    assert {one.locale.language_code for one in made.templates} == set(LANGUAGES)
    for letter in made.templates:
        assert list(lint(letter)) == [], letter
        shown = preview(letter)
        assert shown.rendered is not None
        assert len(shown.rendered.html.encode()) < 102 * 1024
        assert 0 < len(shown.rendered.subject) <= 70, letter
        assert shown.rendered.preheader
        assert (letter.topic is None) == (letter.message_class == MessageClass.TRANSACTIONAL)
    words = {one.locale.language_code: one.subject for one in made.templates}
    assert len(set(words.values())) == len(LANGUAGES)


def test_recipe_is_installed_with_the_languages_that_the_site_has() -> None:
    recipe = own()[0]
    made = install(Survey(recipe.bundle, Site.objects.get(is_default_site=True)))
    assert {one.locale.language_code for one in made.templates} == {"en"}
    assert Template.objects.count() == len(recipe.bundle.templates)


def test_recipe_of_a_host_comes_from_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.loads(FILES[0].read_text(encoding="utf-8"))
    data["about"]["category"] = "tea-club"
    (tmp_path / "harvest.json").write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setattr(gallery.folders, "_entries", {"shop": tmp_path})
    found = recipes()[-1]
    assert (found.identifier, found.category) == ("shop-harvest", "Tea Club")


@pytest.mark.parametrize(
    ("text", "why"),
    [("{}", "no journey that was exported"), ("[", "not valid JSON"), (None, "needs “about”")],
)
def test_file_that_is_no_recipe_is_named(
    text: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is None:
        data = json.loads(FILES[0].read_text(encoding="utf-8"))
        del data["about"]
        text = json.dumps(data)
    (tmp_path / "wrong.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(gallery.folders, "_entries", {"shop": tmp_path})
    with pytest.raises(BundleError, match=why) as raised:
        recipes()
    assert str(tmp_path / "wrong.json") in str(raised.value)


def test_recipe_of_the_example_shop_has_a_webhook_a_task_and_a_coupon() -> None:
    path = Path(__file__).parents[2] / "example_site" / "shop" / "recipes" / "large-order.json"
    text = path.read_text(encoding="utf-8")
    bundle = read_bundle(text.encode())
    kinds = [node["kind"] for node in bundle.journey.graph["nodes"]]
    assert {"webhook", "human_task", "coupon", "send"} <= set(kinds)
    assert bundle.about is not None
    assert written(json.loads(text)) == text
    # All that is missing here are the endpoint and the coupons, which the example shop sets up.
    survey = Survey(bundle, Site.objects.get(is_default_site=True))
    assert {one.node for one in survey.problems} == {"packing", "voucher"}
    for letter in install(survey).templates:
        assert list(lint(letter)) == []


def test_folder_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RegistrationError, match="is no folder"):
        gallery.register_recipes("shop", Path("/nowhere/at/all"))
