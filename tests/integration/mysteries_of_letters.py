"""Mysteries of messages: they were planned, and a rule stopped them or put them off."""

from __future__ import annotations

from datetime import time

from tests.integration.mysteries import Scene, plants, simple
from tests.shop import template
from wagtail_triggers.api import Who, suppress, unsubscribe
from wagtail_triggers.consent.models import QuietHours
from wagtail_triggers.journeys.models import Journey
from wagtail_triggers.messages.channels import memory
from wagtail_triggers.messages.channels.base import Outcome, OutcomeKind
from wagtail_triggers.messages.models import TemplateVersion
from wagtail_triggers.testing import run_until_idle


@plants("no_consent")
def _never_agreed(scene: Scene) -> Journey:
    row = simple(scene, scene.news())
    scene.happens()
    return row


@plants("unsubscribed")
def _unsubscribed(scene: Scene) -> Journey:
    scene.agrees()
    row = simple(scene, {"kind": "wait", "amount": 1, "unit": "days"}, scene.news())
    scene.happens()
    unsubscribe(scene.who, "news", source="link")
    run_until_idle()
    scene.later(days=2)
    return row


@plants("suppressed")
def _suppressed(scene: Scene) -> Journey:
    row = simple(scene)
    suppress(scene.who, everything=True)
    scene.happens()
    return row


@plants("no_address")
def _no_address(scene: Scene) -> Journey:
    scene.who = Who(user_id=scene.chance.randint(10**6, 10**9))
    row = simple(scene)
    scene.happens()
    return row


@plants("over_cap")
def _over_the_cap(scene: Scene) -> Journey:
    scene.agrees()
    rules = scene.rules()
    rules.weekly_limit = 1
    rules.save()
    simple(scene, scene.news(), priority=5)
    row = simple(scene, scene.news())
    scene.happens()
    scene.later(hours=scene.chance.randint(1, 20))
    return row


@plants("cap_too_late")
def _cap_too_late(scene: Scene) -> Journey:
    scene.agrees()
    rules = scene.rules()
    rules.weekly_limit = 1
    rules.save()
    simple(scene, scene.news(), priority=5)
    worth = {"expires_after": {"amount": 5, "unit": "hours"}}
    row = simple(scene, {**scene.news(), **worth})
    scene.happens()
    scene.later(days=1)
    return row


@plants("quiet")
def _quiet(scene: Scene) -> Journey:
    scene.agrees()
    QuietHours.objects.create(settings=scene.rules(), begins=time(10), ends=time(23))
    row = simple(scene, scene.news())
    scene.happens()
    return row


@plants("quiet_too_late")
def _quiet_too_late(scene: Scene) -> Journey:
    scene.agrees()
    QuietHours.objects.create(settings=scene.rules(), begins=time(10), ends=time(23))
    worth = {"expires_after": {"amount": 5, "unit": "hours"}}
    row = simple(scene, {**scene.news(), **worth})
    scene.happens()
    return row


@plants("failed")
def _refused(scene: Scene) -> Journey:
    row = simple(scene)
    memory.script([Outcome(OutcomeKind.REFUSED, detail="550 No such user")])
    scene.happens()
    scene.says.append("550 No such user")
    return row


@plants("retry")
def _tried_again(scene: Scene) -> Journey:
    row = simple(scene)
    memory.script([Outcome(OutcomeKind.NEVER_LEFT, detail="Connection refused", retry_after=600)])
    scene.happens()
    scene.says.append("Connection refused")
    return row


@plants("unknown")
def _nobody_knows(scene: Scene) -> Journey:
    row = simple(scene)
    memory.script([Outcome(OutcomeKind.AMBIGUOUS, detail="Timed out")])
    scene.happens()
    return row


@plants("not_built")
def _cannot_be_built(scene: Scene) -> Journey:
    broken = template("Odd", "<p>{{ contact.first_name | append: contact.first_name }}</p>")
    row = simple(scene, {"kind": "send", "template": broken})
    TemplateVersion.objects.filter(template__translation_key=broken).update(
        subject="{{ contact.first_name | date: }}{% for %}"
    )
    scene.happens()
    return row
