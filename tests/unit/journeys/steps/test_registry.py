"""The kinds of step that there are, and one that a host adds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wagtail_triggers.core.registry import Registry
from wagtail_triggers.exceptions import RegistrationError
from wagtail_triggers.journeys.steps import registry as module
from wagtail_triggers.journeys.steps.base import NoSettings, Run, Step, Surroundings
from wagtail_triggers.journeys.steps.decisions import Decision, Park
from wagtail_triggers.journeys.steps.registry import register_step, steps


class CallStep(Step[NoSettings]):
    identifier = "call"
    label = "Call the person"

    def decide(self, run: Run) -> Decision:
        return Park("waits for the call")

    def describe(self, surroundings: Surroundings) -> str:
        return "Call"


def test_own_kinds_are_all_registered() -> None:
    own = {name for name, kind in steps.all().items() if kind.__module__.startswith("wagtail_")}
    assert own >= {"entry", "send", "wait", "branch", "goal", "end"}


@pytest.mark.parametrize("kind", steps.all().values(), ids=list(steps.all()))
def test_every_kind_has_what_an_editor_sees(kind: type[Step[NoSettings]]) -> None:
    assert str(kind.label)
    assert str(kind.description)
    assert kind.icon
    assert kind.Settings.model_config["extra"] == "forbid"
    assert kind.Settings.model_config["frozen"] is True


def test_host_step_registers_with_one_decorator(monkeypatch: pytest.MonkeyPatch) -> None:
    empty: Registry[type[Step[NoSettings]]] = Registry("step kind")
    monkeypatch.setattr(module, "steps", empty)
    assert register_step(CallStep) is CallStep
    assert empty.get("call") is CallStep


def test_host_step_under_a_name_of_ours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sends = steps.get("send")
    still_open: Registry[type[Step[NoSettings]]] = Registry("step kind")
    still_open.register("send")(sends)
    monkeypatch.setattr(module, "steps", still_open)

    class SendStep(CallStep):
        identifier = "send"

    with pytest.raises(RegistrationError, match=r"journeys\.steps\.send\.SendStep is registered"):
        register_step(SendStep)
    assert still_open.get("send") is sends


def test_journeys_domain_imports_neither_wagtail_nor_models() -> None:
    code = (
        "import sys\n"
        "from wagtail_triggers.journeys import outline, plan, reentry, validate\n"
        "from wagtail_triggers.journeys.steps.registry import steps\n"
        "assert len(steps.all()) >= 6\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('wagtail', 'celery')"
        " or m.startswith('wagtail_triggers') and m.endswith('.models')]\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0
