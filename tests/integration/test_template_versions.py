"""Published texts are frozen: who gets which version, and how a new look reaches them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from wagtail.models import Locale, Site

from tests.shop import journey, line, order, template
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Template, TemplateVersion, TriggersSettings
from wagtail_triggers.messages.recompile import Standing, recompile, standing
from wagtail_triggers.messages.versions import Versions
from wagtail_triggers.testing import run_until_idle

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def publish(row: Template, words: str, *, follow: bool = False) -> None:
    """Publish other words."""
    row.body = [("text", f"<p>{words}</p>")]
    row.follow = follow
    row.save_revision().publish()
    row.refresh_from_db()


@pytest.fixture
def row(clock: FrozenClock) -> Template:
    key = template("Hello", [("text", "<p>One</p>")])
    return Template.objects.get(translation_key=key)


def repaint() -> None:
    """Give the site another look."""
    TriggersSettings.objects.update_or_create(
        site=Site.objects.get(), defaults={"page_colour": "#aa0000"}
    )


def number_for(row: Template, since: object) -> int:
    key = str(row.translation_key)
    version = Versions([key], since=since).find(key, "en", since)  # type: ignore[arg-type]
    assert version is not None
    return version.number


def test_people_on_their_way_keep_the_text_of_when_they_began(
    row: Template, clock: FrozenClock
) -> None:
    began = clock.moment
    clock.travel(HOUR)
    publish(row, "Two")
    assert number_for(row, began) == 1
    assert number_for(row, clock.moment) == 2
    key = str(row.translation_key)
    live = Versions([key]).find(key, "en")
    assert live is not None
    assert live.number == 2


def test_people_on_their_way_get_a_correction_whose_editor_said_so(
    row: Template, clock: FrozenClock
) -> None:
    began = clock.moment
    clock.travel(HOUR)
    publish(row, "Two")
    clock.travel(HOUR)
    publish(row, "Three", follow=True)
    assert number_for(row, began) == 3
    clock.travel(HOUR)
    publish(row, "Four")
    assert number_for(row, began) == 3


def test_people_who_began_before_there_was_a_text_get_the_first(
    row: Template, clock: FrozenClock
) -> None:
    early = clock.moment - HOUR
    clock.travel(HOUR)
    publish(row, "Two")
    assert number_for(row, early) == 1


def test_looking_versions_up_takes_two_queries_at_most(
    row: Template, clock: FrozenClock, django_assert_num_queries: object
) -> None:
    key, began = str(row.translation_key), clock.moment
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert Versions([key], since=began).find(key, "en", began) is not None
    clock.travel(HOUR)
    for words in ("Two", "Three"):
        publish(row, words)
    with django_assert_num_queries(2):  # type: ignore[operator]
        versions = Versions([key], since=began)
        for _ in range(3):
            assert versions.find(key, "en", began) is not None


@pytest.mark.parametrize(("follow", "words"), [(False, "One"), (True, "Two")])
def test_letter_of_a_run_under_way_is_the_one_that_its_editor_meant(
    row: Template, clock: FrozenClock, outbox: list[Outgoing], follow: bool, words: str
) -> None:
    journey(
        "Thanks",
        [
            {"kind": "entry", "event": "order_placed"},
            {"kind": "wait", "amount": 1, "unit": "days"},
            {"kind": "send", "template": str(row.translation_key)},
        ],
    )
    order("1", line())
    run_until_idle()
    clock.travel(HOUR)
    publish(row, "Two", follow=follow)
    clock.travel(24 * HOUR)
    run_until_idle()
    assert [sent.text.partition("\n")[0] for sent in outbox] == [words]


def test_new_look_reaches_live_templates_when_they_are_compiled_again(row: Template) -> None:
    site = Site.objects.get(is_default_site=True)
    template("Another", "<p>Another</p>")
    assert standing(site) == Standing(live=2, outdated=0)
    repaint()
    site = Site.objects.get()
    assert standing(site) == Standing(live=2, outdated=2)
    outcomes = list(recompile(site))
    assert [(one.changed, one.problem) for one in outcomes] == [(True, ""), (True, "")]
    row.refresh_from_db()
    assert row.live_version is not None
    assert row.live_version.number == 2
    assert "#aa0000" in row.live_version.html
    assert "#aa0000" not in TemplateVersion.objects.get(template=row, number=1).html
    assert standing(site) == Standing(live=2, outdated=0)


def test_compiling_again_without_a_change_makes_no_version(row: Template) -> None:
    outcomes = list(recompile(Site.objects.get()))
    assert [one.changed for one in outcomes] == [False]
    assert TemplateVersion.objects.count() == 1


def test_compiling_again_leaves_out_what_an_editor_has_not_published(row: Template) -> None:
    row.body = [("text", "<p>Draft</p>")]
    row.save_revision()
    repaint()
    list(recompile(Site.objects.get()))
    row.refresh_from_db()
    assert row.live_version is not None
    assert row.live_version.number == 2
    assert "Draft" not in row.live_version.html


def test_faulty_template_keeps_its_version_and_the_command_says_so(
    row: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    Template.objects.filter(pk=row.pk).update(body=[("html", "{{ nobody.knows }}")])
    with pytest.raises(CommandError, match="1 templates keep the version"):
        call_command("triggers_recompile")
    assert "nobody.knows" in capsys.readouterr().err
    row.refresh_from_db()
    assert row.live_version is not None
    assert row.live_version.number == 1


def test_command_counts_without_compiling_when_it_is_asked_to(
    row: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    repaint()
    call_command("triggers_recompile", "--dry-run")
    assert "live=1 outdated=1" in capsys.readouterr().out
    assert TemplateVersion.objects.count() == 1
    call_command("triggers_recompile")
    assert "live=1 new_versions=1 faulty=0" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is no site"):
        call_command("triggers_recompile", "--site", "nowhere.example")


def test_same_text_published_with_another_say_changes_the_say_alone(row: Template) -> None:
    row.follow = True
    row.save_revision().publish()
    version = TemplateVersion.objects.get()
    assert (version.number, version.follow) == (1, True)


def test_translation_copies_every_block_and_is_compiled_in_its_language(
    row: Template, settings: object
) -> None:
    russian = Locale.objects.create(language_code="ru")
    blocks = [
        ("heading", {"text": "Hello", "size": "h1", "align": "left"}),
        ("columns", {"columns": [[("text", "<p>A</p>")], []], "widths": "equal"}),
        ("condition", {"variable": "contact.name", "operator": "is_set", "value": "",
                       "then": [("text", "<p>C</p>")], "otherwise": []}),
    ]  # fmt: skip
    row.body = blocks
    row.save_revision().publish()
    copy = row.copy_for_translation(russian)
    copy.save()
    assert copy.body.get_prep_value()[1]["value"] == row.body.get_prep_value()[1]["value"]
    assert copy.live_version is None
    copy.save_revision().publish()
    copy.refresh_from_db()
    assert copy.live_version is not None
    assert copy.live_version.language == "ru"
    assert 'lang="ru"' in copy.live_version.html
    key = str(row.translation_key)
    found = Versions([key])
    assert found.find(key, "ru") == copy.live_version
    assert found.find(key, "en") == Template.objects.get(pk=row.pk).live_version
