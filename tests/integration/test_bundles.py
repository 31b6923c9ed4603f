"""A journey with its templates as one file: out, in again, and the same as before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Field
from pytest_django import Settings
from wagtail.models import Locale, Site

from tests.shop import journey, template, topic
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.exceptions import BundleError
from wagtail_triggers.journeys.bundles import fields
from wagtail_triggers.journeys.bundles.exporting import export, file_name
from wagtail_triggers.journeys.bundles.importing import install
from wagtail_triggers.journeys.bundles.schema import read_bundle
from wagtail_triggers.journeys.bundles.survey import Survey
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.models import MessageClass, Template

pytestmark = pytest.mark.django_db


def default_site() -> Site:
    return Site.objects.get(is_default_site=True)


def reminder(subject: str = "Your cart", **more: Any) -> str:
    return template(subject, kind=MessageClass.MARKETING, topic=topic("carts"), **more)


def translated(key: str, code: str, subject: str) -> Template:
    locale, _made = Locale.objects.get_or_create(language_code=code)
    row = Template.objects.get(translation_key=key, locale=Locale.get_default())
    copy = row.copy_for_translation(locale)
    copy.subject = copy.name = subject
    copy.save()
    copy.save_revision().publish()
    return copy


def series(*keys: str, name: str = "Abandoned cart") -> Journey:
    nodes: list[dict[str, Any]] = [{"kind": "entry", "event": "cart_abandoned"}]
    for key in keys:
        nodes += [{"kind": "send", "template": key}, {"kind": "wait", "amount": 1, "unit": "days"}]
    goal = {"event": "order_placed", "match": "same_object"}
    return journey(name, nodes, goals=[goal], priority=7)


@contextmanager
def elsewhere() -> Iterator[None]:
    """Another installation: nothing of what is done there is here afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def imported(text: str, site: Site | None = None, **more: Any) -> Journey:
    survey = Survey(read_bundle(text.encode()), site or default_site())
    return install(survey, **more).journey


def concrete(model: Any) -> set[str]:
    return {one.name for one in model._meta.get_fields() if isinstance(one, Field) and one.concrete}


def test_fields_of_templates_and_journeys_all_travel_or_stay_on_purpose() -> None:
    travels = {*fields.SHARED, *fields.TEXTS}
    assert concrete(Template) == travels | fields.TEMPLATE_STAYS
    assert travels & fields.TEMPLATE_STAYS == set()
    assert concrete(Journey) == {*fields.JOURNEY} | fields.JOURNEY_STAYS


def test_export_of_an_import_gives_the_same_bytes() -> None:
    with elsewhere():
        first, second = reminder("Ваша корзина 购物车"), template("Thanks")
        translated(first, "ru", "Корзина ждёт")
        before = export(series(second, first, second))
    Locale.objects.create(language_code="ru")
    after = export(imported(before))
    assert after == before
    assert [one["key"] for one in json.loads(after)["templates"]] == [second, first]
    assert list(json.loads(after)["templates"][1]["translations"]) == ["en", "ru"]
    assert "Корзина ждёт" in after  # letters, and no escapes


def test_import_lands_as_drafts_and_starts_nothing() -> None:
    with elsewhere():
        text = export(series(reminder()))
    row = imported(text)
    assert (row.live, row.live_version, row.priority, row.has_unpublished_changes) == (
        False, None, 7, True,
    )  # fmt: skip
    made = Template.objects.get()
    assert (made.live, made.live_version, made.subject) == (False, None, "Your cart")
    assert made.topic == Topic.objects.get(slug="carts")
    assert row.latest_revision is not None
    assert row.graph["nodes"][1]["settings"]["template"] == str(made.translation_key)


def test_import_once_its_drafts_are_published_is_in_force() -> None:
    with elsewhere():
        text = export(series(reminder(), template("Thanks")))
    row = imported(text)
    for made in Template.objects.all():
        made.save_revision().publish()
    row.latest_revision.publish()
    row.refresh_from_db()
    assert (row.publish_problem, row.live_version is not None) == ("", True)


def test_import_beside_the_original_gets_a_name_a_uid_and_where_wished_letters_of_its_own() -> None:
    original = series(reminder())
    text = export(original)
    key = str(Template.objects.get().translation_key)
    reused = imported(text)
    assert (reused.name, reused.uid == original.uid) == ("Abandoned cart (2)", False)
    assert Template.objects.count() == 1
    assert reused.graph["nodes"][1]["settings"]["template"] == key
    copied = imported(text, choices={key: "copy"})
    own = Template.objects.exclude(translation_key=key).get()
    assert copied.name == "Abandoned cart (3)"
    assert copied.graph["nodes"][1]["settings"]["template"] == str(own.translation_key) != key
    assert [one["subject"] for one in Template.objects.values("subject")] == ["Your cart"] * 2


def test_letters_that_were_rewritten_here_are_copied_unless_somebody_says_otherwise() -> None:
    text = export(series(reminder()))
    row = Template.objects.get()
    row.subject = "Rewritten here"
    row.save_revision().publish()
    outlook = Survey(read_bundle(text.encode()), default_site()).templates[0]
    assert (outlook.exists, outlook.is_same, outlook.suggested) == (True, False, "copy")
    imported(text)
    assert set(Template.objects.values_list("subject", flat=True)) == {
        "Rewritten here",
        "Your cart",
    }


def test_import_into_another_site_takes_nothing_of_the_first() -> None:
    text = export(series(reminder()))
    other = Site.objects.create(
        hostname="other.example", root_page=default_site().root_page, site_name="Other"
    )
    row = imported(text, other)
    own = Template.objects.get(site=other)
    assert own.translation_key != Template.objects.get(site=default_site()).translation_key
    assert row.graph["nodes"][1]["settings"]["template"] == str(own.translation_key)
    assert own.topic == Topic.objects.get(site=other, slug="carts")


def test_a_journey_that_names_itself_names_itself_after_the_import_too() -> None:
    row = series(reminder())
    row.graph["nodes"].append({
        "id": "again", "kind": "start_journey", "settings": {"journey": str(row.uid)},
    })  # fmt: skip
    row.save_revision()
    copy = imported(export(row))
    assert copy.uid != row.uid
    assert copy.graph["nodes"][-1]["settings"]["journey"] == str(copy.uid)


def test_export_as_published_leaves_out_what_is_only_drafted() -> None:
    row = series(reminder())
    row.name = "Drafted name"
    row.graph = {**row.graph, "nodes": [*row.graph["nodes"], {"id": "loose", "kind": "end"}]}
    row.save_revision()
    letter = Template.objects.get()
    letter.subject = "Drafted"
    letter.save_revision()
    saved = Journey.objects.get()
    draft, live = export(saved), export(saved, published=True)
    assert ("loose" in draft, "Drafted name" in draft, '"Drafted"' in draft) == (True, True, True)
    assert ("loose" in live, "Drafted name" in live, '"Drafted"' in live) == (False, False, False)
    assert "Abandoned cart" in live


def test_languages_without_a_locale_are_left_out_and_said() -> None:
    with elsewhere():
        key = reminder()
        translated(key, "ru", "Корзина")
        text = export(series(key))
    survey = Survey(read_bundle(text.encode()), default_site())
    assert survey.left_out == ("Russian",)
    assert [one.locale.language_code for one in install(survey).templates] == ["en"]


def test_a_shop_in_a_language_that_the_file_lacks_gets_english_to_translate(
    settings: Settings,
) -> None:
    with elsewhere():
        text = export(series(reminder()))
    settings.LANGUAGE_CODE = "de"
    Locale.objects.update(language_code="de")
    survey = Survey(read_bundle(text.encode()), default_site())
    assert survey.stand_ins == (("Englisch", "Deutsch"),)
    assert [one.locale.language_code for one in install(survey).templates] == ["de"]


@pytest.mark.parametrize(
    ("locale", "languages", "taken"),
    [
        ("en-gb", ("en", "ru"), "en"),
        ("zh-cn", ("en", "zh-hans"), "zh-hans"),
        ("zh-hant", ("ru", "zh-hans"), "ru"),  # a stand-in, and not the other script
        ("pt", ("en", "pt-br"), "pt-br"),
    ],
)
def test_locales_take_the_nearest_language(
    locale: str, languages: tuple[str, ...], taken: str
) -> None:
    from wagtail_triggers.journeys.bundles.survey import landed

    assert [one.language for one in landed(languages, [Locale(language_code=locale)])] == [taken]


def test_what_is_missing_here_is_said_with_the_fix_and_imported_as_a_draft_all_the_same() -> None:
    with elsewhere():
        document = json.loads(export(series(reminder())))
    nodes = document["journey"]["graph"]["nodes"]
    nodes[0]["settings"]["event"] = "quiz_finished"
    nodes[1]["settings"]["channel"] = "pigeon"
    nodes[2]["kind"] = "teleport"
    document["templates"][0]["event"] = "quiz_finished"
    text = json.dumps(document)
    survey = Survey(read_bundle(text.encode()), default_site(), makes_topics=False)
    said = "\n".join(f"{one.what} {one.fix}" for one in survey.missing)
    for part in (
        "There is no event “quiz_finished”.",
        "There is no channel “pigeon”.",
        "There is no kind of step “teleport”.",
        "There is no topic “carts”. Add it under Triggers > Topics",
        "A message is written for the event “quiz_finished”.",
    ):
        assert part in said
    made = install(survey)
    assert made.topics == ()
    assert Template.objects.get().topic is None
    assert made.journey.graph["nodes"][2]["kind"] == "teleport"


def test_import_that_fails_half_way_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with elsewhere():
        text = export(series(reminder()))

    def save_revision(*_args: object, **_more: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Journey, "save_revision", save_revision)
    with pytest.raises(RuntimeError):
        imported(text)
    assert (Template.objects.count(), Journey.objects.count()) == (0, 0)
    assert not Topic.objects.filter(slug="carts").exists()


def test_two_imports_at_once_leave_the_second_with_a_word() -> None:
    with elsewhere():
        text = export(series(reminder()))
    early = Survey(read_bundle(text.encode()), default_site())
    assert early.templates[0].exists is False
    imported(text)
    with pytest.raises(BundleError, match="Somebody else has imported the same"):
        install(early)
    assert Journey.objects.count() == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\x", "a/b\0c", "日本", "C:\\x"])
def test_file_names_of_exports_are_plain(name: str) -> None:
    assert set(file_name(Journey(name=name))) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert not file_name(Journey(name=name)).startswith((".", "-"))
