"""Random split and holdout: a person always goes the same way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from wagtail_triggers.journeys.steps.base import Step
from wagtail_triggers.journeys.steps.decisions import Act, Advance, Assign
from wagtail_triggers.journeys.steps.holdout import HoldoutSettings, HoldoutStep
from wagtail_triggers.journeys.steps.split import SplitSettings, SplitStep

from ..world import World, run

KEY = "journey:7:s"


def split(**weights: int) -> SplitStep:
    variants = [{"name": name, "weight": weight} for name, weight in weights.items()]
    return SplitStep(SplitSettings.model_validate({"variants": variants}))


def holdout(percent: int = 10) -> HoldoutStep:
    return HoldoutStep(HoldoutSettings(percent=percent))


def port(step: Step[Any], contact: int, **held: str) -> str:
    one = run(
        contact_id=contact, journey_id=7, node="s", assignments={KEY: held["held"]} if held else {}
    )
    decision = step.decide(one)
    assert isinstance(decision, Act | Advance)
    return decision.port


def test_split_of_a_person_who_comes_first_is_drawn_and_remembered() -> None:
    decision = split(a=1, b=1).decide(run(contact_id=5, journey_id=7, node="s"))
    assert isinstance(decision, Act)
    assert decision.effects == (Assign(KEY, decision.port),)
    assert decision.port in ("a", "b")


def test_split_draws_by_the_person_so_that_two_runs_at_once_go_the_same_way() -> None:
    step = split(a=1, b=1)
    for person in range(50):
        one = run(contact_id=person, journey_id=7, node="s")
        other = replace(one, enrolment_id=99, key="cart:13", seq=4)
        assert step.decide(one) == step.decide(other)


def test_split_keeps_a_persons_way_although_the_shares_change() -> None:
    for person in range(200):
        before = port(split(a=1, b=1), person)
        assert port(split(a=1, b=99), person, held=before) == before
        assert port(split(a=0, b=1), person, held="a") == "a"


def test_split_whose_variant_is_gone_draws_anew_and_says_so() -> None:
    one = run(contact_id=5, journey_id=7, node="s", assignments={KEY: "c"})
    assert split(a=1, b=0).decide(one) == Advance("a", "the variant “c” is no longer there")


def test_split_follows_the_weights() -> None:
    shares = Counter(port(split(a=70, b=20, c=10), person) for person in range(10_000))
    assert abs(shares["a"] - 7_000) < 200
    assert abs(shares["b"] - 2_000) < 200
    assert abs(shares["c"] - 1_000) < 150
    assert Counter(port(split(a=1, b=0), person) for person in range(500)) == {"a": 500}


def test_split_at_another_node_or_in_another_journey_draws_independently() -> None:
    step = split(a=1, b=1)
    same = sum(
        step.decide(run(contact_id=n, journey_id=7, node="s")).port  # type: ignore[union-attr]
        == step.decide(run(contact_id=n, journey_id=8, node="s")).port  # type: ignore[union-attr]
        for n in range(2_000)
    )
    assert 900 < same < 1_100


def test_split_names_its_experiment_and_its_ports() -> None:
    assert split(a=1, b=1).experiment(7, "s") == KEY
    assert [one.name for one in split(a=1, b=1).ports()] == ["a", "b"]


def test_split_in_words_gives_the_shares() -> None:
    assert split(a=1, b=2).describe(World()) == "By chance: 33.33 % a, 66.67 % b"


@pytest.mark.parametrize(
    "variants",
    [
        [{"name": "a", "weight": 1}],
        [{"name": "a", "weight": 0}, {"name": "b", "weight": 0}],
        [{"name": "a", "weight": 1}, {"name": "a", "weight": 1}],
        [{"name": "a", "weight": -1}, {"name": "b", "weight": 1}],
        [{"name": "a", "weight": 0.5}, {"name": "b", "weight": 0.5}],
        [{"name": f"v{n}"} for n in range(11)],
    ],
)
def test_split_settings_out_of_form_are_refused(variants: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        SplitSettings.model_validate({"variants": variants})


def test_holdout_leaves_out_its_share_for_good() -> None:
    ways = {person: port(holdout(10), person) for person in range(10_000)}
    assert abs(Counter(ways.values())["held_out"] - 1_000) < 100
    assert set(ways.values()) == {"next", "held_out"}
    for person in range(200):
        assert port(holdout(50), person, held=ways[person]) == ways[person]


def test_holdout_records_both_the_held_out_and_the_others() -> None:
    for person in range(50):
        decision = holdout(50).decide(run(contact_id=person, journey_id=7, node="s"))
        assert isinstance(decision, Act)
        assert decision.effects == (Assign(KEY, decision.port),)
    assert holdout().experiment(7, "s") == KEY
    assert [one.name for one in holdout().ports()] == ["next", "held_out"]
    assert holdout().describe(World()) == "Leave out 10 % of the people"


@pytest.mark.parametrize("percent", [0, 100, 12.5, "10"])
def test_holdout_settings_out_of_form_are_refused(percent: Any) -> None:
    with pytest.raises(ValidationError):
        HoldoutSettings.model_validate({"percent": percent})
