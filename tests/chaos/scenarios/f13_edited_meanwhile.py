"""F13: a journey is published again and again while people wait in it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.chaos import races
from tests.chaos.registry import Scenario
from tests.chaos.report import Report
from tests.chaos.run import Chaos
from tests.concurrency.parallel import Strand
from tests.concurrency.people import enrolled, people
from tests.shop import publish, template
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.models import Enrolment, StepRun, Transfer, TransferRule
from wagtail_triggers.engine.transfer import Rule, begin, carry_on, carry_out
from wagtail_triggers.journeys.models import Journey, JourneyVersion
from wagtail_triggers.journeys.publish import compile_journey
from wagtail_triggers.messages.models import Message

SCENARIO = Scenario(
    name="F13",
    title="a journey is edited and published while people wait in it",
    promise=(
        "everybody goes on in the version in which they are, or where the editor sent them: each "
        "step and each letter is of that version; nobody is lost, moved twice or written to twice; "
        "the numbers that were shown are those that happen"
    ),
    broken="the version that people are in is changed under them",
    small=300,
    broken_small=150,
    full=10_000,
)
HOUR = timedelta(hours=1)
POLICIES = ("stay", "move", "skip", "exit")


def run(chaos: Chaos) -> Report:
    """People enter, wait a day and get a letter; every few hours there is a new version."""
    versions = 5 if chaos.plan.small else 20
    report = chaos.report()
    with clock.frozen(clock.now()) as now, races.provider():
        plan = publish("Edited", _graph(1))
        rows = people(chaos.messages)
        share = len(rows) // versions
        stop = threading.Event()
        strands = [Strand(races.keep_sending(stop)), *(Strand(_runner(stop)) for _ in range(2))]
        for number in range(2, versions + 1):
            enrolled(plan, rows[(number - 2) * share : (number - 1) * share], _first(number - 1))
            time.sleep(chaos.chance.uniform(0.1, 0.4))
            now.travel(HOUR * chaos.chance.choice((3, 9, 20)))
            _edit(plan, number, chaos)
        stop.set()
        for strand in strands:
            strand.wait(600)
        enrolled(plan, rows[(versions - 1) * share :], _first(versions))
        _in_peace(plan, versions + 1, report, chaos)
        for _day in range(4):
            races.finish()
            now.travel(timedelta(days=1))
        races.finish()
        sends = StepRun.objects.filter(decision="send").count()
        report.count(sends, races.deliveries())
    _judge(report, chaos)
    return report


def _first(number: int) -> str:
    """The step at which people wait for a day."""
    return "wait" if number % 2 else "rest"


def _graph(number: int) -> dict[str, Any]:
    """The steps have other names in every other version, and each version has its own letter."""
    letter = template(f"Letter {number}")
    name = "send" if number % 2 else "tell"
    middle: list[tuple[str, str, dict[str, Any]]] = [(name, "send", {"template": letter})]
    if number % 3 == 0:
        middle.insert(0, ("more", "wait", {"amount": 2, "unit": "hours"}))
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("in", "entry", {"event": "order_placed"}),
        (_first(number), "wait", {"amount": 1, "unit": "days"}), *middle, ("out", "end", {}),
    ]  # fmt: skip
    return {
        "nodes": [{"id": one, "kind": kind, "settings": more} for one, kind, more in steps],
        "edges": [
            {"source": here[0], "port": "next", "target": there[0]}
            for here, there in pairwise(steps)
        ],
    }


def _runner(stop: threading.Event) -> Any:
    def work() -> None:
        while not stop.is_set():
            run_due(20)
            time.sleep(0.002)

    return work


def _edit(plan: Journey, number: int, chaos: Chaos) -> None:
    """Publish a version while people are moved by runners, and say what becomes of them."""
    old = plan.live_version
    assert old is not None
    graph = _graph(number)
    Journey.objects.filter(pk=plan.pk).update(graph=graph)
    plan.refresh_from_db()
    if chaos.broken:
        compile_journey(plan)
        plan.refresh_from_db()
        # Nobody is asked, and nobody is told where to go on.
        Enrolment.objects.filter(journey=plan).update(version=plan.live_version)
        return
    new = compile_journey(plan)
    plan.refresh_from_db()
    policy = POLICIES[number % len(POLICIES)]
    rules = _rules(old, new, policy)
    if rules:
        made = begin(plan, new, rules)
        both = [Strand(lambda: carry_out(made)), Strand(lambda: carry_on(seconds=60))]
        for strand in both:
            strand.wait(600)


def _rules(old: JourneyVersion, new: JourneyVersion, policy: str) -> list[Rule]:
    """What becomes of those who stand at each step of the version before."""
    if policy == "stay":
        return []
    kinds = {node["kind"]: node["id"] for node in reversed(new.graph["nodes"])}
    found = []
    for node in old.graph["nodes"]:
        if node["kind"] == "wait":
            target = {"move": kinds["wait"], "skip": kinds["send"]}.get(policy, "")
            found.append(Rule(old.pk, node["id"], policy, target))
    return found


def _in_peace(plan: Journey, number: int, report: Report, chaos: Chaos) -> None:
    """While nobody else works: what was shown is what happens, for every policy at once."""
    if chaos.broken:
        return
    graph = _graph(number)
    Journey.objects.filter(pk=plan.pk).update(graph=graph)
    plan.refresh_from_db()
    new = compile_journey(plan)
    plan.refresh_from_db()
    rules = []
    for place, old in enumerate(JourneyVersion.objects.filter(journey=plan).exclude(pk=new.pk)):
        rules += _rules(old, new, POLICIES[place % len(POLICIES)])
    made = begin(plan, new, rules)
    carry_out(made)
    wrong = TransferRule.objects.filter(transfer=made)
    shown = [(rule.counted, rule.done) for rule in wrong]
    report.extra["shown, and done"] = shown
    report.demand(all(counted == done for counted, done in shown), "what was shown is what happens")


def _judge(report: Report, chaos: Chaos) -> None:
    graphs = dict(JourneyVersion.objects.values_list("pk", "graph"))
    steps = {pk: {node["id"]: node for node in graph["nodes"]} for pk, graph in graphs.items()}
    astray = sum(
        node not in steps[version]
        for version, node in StepRun.objects.values_list("version_id", "node")
    )
    foreign = _foreign(steps)
    states = Counter(Enrolment.objects.values_list("state", flat=True))
    moved = Counter(
        StepRun.objects.filter(decision="transfer").values_list("enrolment_id", "version_id")
    )
    report.extra |= {
        "versions": len(graphs),
        "transfers": Transfer.objects.count(),
        "people moved": sum(moved.values()),
        "runs": dict(states),
        "steps of another version": astray,
        "letters of another version": foreign,
    }
    report.demand(astray == 0, "each step is of the version in which its run was")
    report.demand(foreign == 0, "each letter is of the version whose step planned it")
    report.demand(max(moved.values(), default=0) <= 1, "nobody is moved to a version twice")
    report.demand(not states.keys() - {"completed", "exited"}, "every run comes to its end")
    report.demand(
        Message.objects.count() == states["completed"], "whoever stays to the end has one letter"
    )
    report.demand(Contact.objects.count() == states.total(), "nobody is lost")
    report.demand(report.duplicates == 0, "nothing comes twice")


def _foreign(steps: dict[int, dict[str, Any]]) -> int:
    """Letters that are not the one which their step names."""
    rows = Message.objects.values_list(
        "journey_version_id", "node", "template_version__template__translation_key"
    )
    return sum(
        steps[version].get(node, {}).get("settings", {}).get("template") != str(key)
        for version, node, key in rows
    )
