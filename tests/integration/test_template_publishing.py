"""A template that is published without a form is checked all the same."""

from __future__ import annotations

import pytest
from wagtail.models import Locale, Site

from tests.shop import topic
from wagtail_triggers.messages.models import MessageClass, Template, TemplateVersion

pytestmark = pytest.mark.django_db


def draft(**fields: object) -> Template:
    row = Template(
        site=Site.objects.get(is_default_site=True),
        locale=Locale.get_default(),
        name="News",
        **{"subject": "Hello", "body": [("html", "<p>Hello</p>")], **fields},
    )
    row.save()
    return row


def publish(row: Template) -> Template:
    row.save_revision().publish()
    published: Template = Template.objects.get(pk=row.pk)
    return published


def test_template_published_by_code_with_an_unknown_variable_keeps_the_version_before() -> None:
    row = publish(draft(message_class=MessageClass.TRANSACTIONAL))
    first = row.live_version
    row.body = [("html", "<p>{{ contact.frist_name }}</p>")]
    row = publish(row)
    assert row.live_version == first
    assert "contact.frist_name" in row.publish_problem
    assert "first_name" in row.publish_problem
    assert TemplateVersion.objects.count() == 1
    row.body = [("html", "<p>{{ contact.first_name }}</p>")]
    row = publish(row)
    assert (row.publish_problem, row.live_version and row.live_version.number) == ("", 2)


def test_marketing_template_published_by_code_without_a_topic_is_not_in_force() -> None:
    row = publish(draft(message_class=MessageClass.MARKETING))
    assert row.live_version is None
    assert row.publish_problem.startswith("topic: ")
    row.topic = topic()
    assert publish(row).live_version is not None


def test_template_published_again_without_a_change_keeps_its_version() -> None:
    row = publish(publish(draft(message_class=MessageClass.TRANSACTIONAL)))
    assert row.live_version is not None
    assert row.live_version.number == 1
