"""People are moved to another version while routers, runners and editors are at work."""

from __future__ import annotations

import threading
from collections import Counter
from copy import deepcopy
from datetime import timedelta

import pytest
from django.db.models import Q

from tests.concurrency.parallel import Strand, holding, together
from tests.concurrency.people import enrolled, people, who
from tests.shop import journey, line, order, template
from wagtail_triggers.contacts.models import Contact
from wagtail_triggers.core import clock
from wagtail_triggers.core.locking import locked
from wagtail_triggers.engine import transfer
from wagtail_triggers.engine.database import run_due
from wagtail_triggers.engine.holding import follow
from wagtail_triggers.engine.lifecycle import pause, resume
from wagtail_triggers.engine.models import Enrolment, StepRun, Transfer
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.engine.transfer import Rule, begin, carry_out
from wagtail_triggers.journeys.models import Journey, JourneyVersion
from wagtail_triggers.journeys.publish import compile_journey
from wagtail_triggers.messages.channels.base import Outgoing
from wagtail_triggers.messages.models import Message

pytestmark = pytest.mark.django_db(transaction=True)

NODES = ("n1", "n2", "n3")


def plan() -> Journey:
    """A wait of an hour, a letter, a wait of an hour."""
    wait = {"kind": "wait", "amount": 1, "unit": "hours"}
    return journey("Plan", [
        {"kind": "entry", "event": "order_placed"},
        wait, {"kind": "send", "template": template("Letter")}, wait,
    ])  # fmt: skip


def publish_again(row: Journey) -> JourneyVersion:
    """Publish it with longer waits."""
    graph = deepcopy(row.graph)
    for node in (graph["nodes"][1], graph["nodes"][3]):
        node["settings"]["amount"] = 5
    Journey.objects.filter(pk=row.pk).update(graph=graph)
    row.refresh_from_db()
    return compile_journey(row)


def move_all(row: Journey, old: JourneyVersion, new: JourneyVersion) -> Transfer:
    """Everybody goes on at the same step."""
    return begin(row, new, [Rule(old.pk, node, "move", node) for node in NODES])


def test_transfer_waits_for_whoever_holds_a_person_and_finds_them_where_they_are_then(
    outbox: list[Outgoing],
) -> None:
    row = plan()
    (run,) = enrolled(row, people(1))
    old, new = run.version, publish_again(row)
    made = begin(row, new, [Rule(old.pk, "n1", "exit"), Rule(old.pk, "n3", "move", "n3")])

    def moves_on() -> None:
        list(locked(Contact.objects.filter(pk=run.contact_id)))
        Enrolment.objects.filter(pk=run.pk).update(node="n3")

    with holding(moves_on):
        editor = Strand(lambda: carry_out(made))
        assert editor.settled() == "blocked"
    editor.wait()
    run.refresh_from_db()
    assert (run.state, run.node, run.version_id) == ("active", "n3", new.pk)
    assert dict(made.rules.values_list("node", "done")) == {"n1": 0, "n3": 1}


def test_nobody_is_lost_or_moved_twice_while_routers_runners_and_editors_work(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 7)
    row = plan()
    old = row.live_version
    assert old is not None
    crowd = people(60)
    enrolled(row, crowd[:40], "n1")
    for contact in crowd[40:]:
        order(contact.email, line(), who=who(contact))
    published = threading.Event()

    def editor() -> None:
        new = publish_again(row)
        published.set()
        carry_out(move_all(row, old, new))

    def router() -> None:
        while route_batch(3):
            pass

    def runner() -> None:
        for _turn in range(15):
            run_due(5)

    together(editor, router, runner, runner)
    new = JourneyVersion.objects.get(number=2)
    carry_out(move_all(row, old, new))  # who was enrolled in the old one in the last moment
    while run_due():
        pass
    assert Enrolment.objects.count() == 60
    assert Counter(Enrolment.objects.values_list("version", "state", "node")) == {
        (new.pk, "active", "n1"): 60
    }
    moves = StepRun.objects.filter(decision="transfer").values_list("enrolment_id", flat=True)
    assert max(Counter(moves).values()) == 1
    began_on_new = 60 - len(moves)
    assert 0 <= began_on_new <= 20
    done = [rule.done for made in Transfer.objects.all() for rule in made.rules.all()]
    assert sum(done) == len(moves)
    assert Message.objects.count() == 0  # the old hour was over for nobody


@pytest.mark.parametrize("looks", [True, False])
def test_no_step_of_the_old_version_is_asked_once_a_transfer_is_decided(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch, looks: bool
) -> None:
    if not looks:  # a runner that does not ask about transfers
        monkeypatch.setattr(transfer, "is_moving", lambda: Q(pk__in=[]))
    row = plan()
    old = row.live_version
    assert old is not None
    runs = enrolled(row, people(40), "n1")
    ago = clock.now() - timedelta(hours=2)
    Enrolment.objects.update(arrived_at=ago, wake_at=ago)  # by the old wait they are all due
    new = publish_again(row)
    move_all(row, old, new)
    together(*(lambda: [run_due(7) for _turn in range(12)] for _runner in range(3)))
    assert StepRun.objects.filter(version=old).exists() is not looks
    if not looks:
        return
    assert set(Enrolment.objects.values_list("version", "node")) == {(new.pk, "n1")}
    assert StepRun.objects.filter(decision="transfer").count() == len(runs)
    assert Message.objects.count() == 0


def test_two_processes_that_carry_out_one_transfer_move_everybody_once(
    outbox: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 5)
    row = plan()
    old = row.live_version
    assert old is not None
    enrolled(row, people(40))
    made = move_all(row, old, publish_again(row))
    assert sum(together(lambda: carry_out(made), lambda: carry_out(made))) == 40
    assert StepRun.objects.filter(decision="transfer").count() == 40
    assert sum(made.rules.values_list("done", flat=True)) == 40


def test_runs_that_are_claimed_while_a_journey_is_paused_and_resumed_are_held_or_go_on(
    outbox: list[Outgoing],
) -> None:
    row = plan()
    enrolled(row, people(60))

    def switch() -> None:
        for _time in range(4):
            pause(row)
            resume(row)

    together(switch, *(lambda: [run_due(5) for _turn in range(15)] for _runner in range(2)))
    from wagtail_triggers.engine.models import Switch

    for one in Switch.objects.filter(done_at=None):
        follow(one)  # as the next tick does: a worker may have put some aside behind its back
    while run_due():
        pass
    assert Counter(Enrolment.objects.values_list("node", "waiting")) == {("n1", True): 60}
    assert not Enrolment.objects.filter(wake_at=None).exists()
    assert not Enrolment.objects.exclude(held_wake_at=None).exists()
