"""A body is built of blocks: faults stand at their block, raw MJML is for those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.test.utils.form_data import querydict_from_html

from tests.admin.conftest import ClientWith
from tests.admin.test_templates import ADD, GOOD, body_data, words_of
from wagtail_triggers.messages.models import Template
from wagtail_triggers.messages.preview import MAX_MAIL_BYTES

pytestmark = pytest.mark.django_db

RAW = "<mj-section><mj-column><mj-text>Raw</mj-text></mj-column></mj-section>"
EDITOR = ("add_template", "change_template", "view_template", "publish_template")


def post(client: Client, url: str, *blocks: tuple[str, Any], **values: str) -> Any:
    form = querydict_from_html(client.get(url).content.decode(), form_id="w-editor-form")
    form.update({**GOOD, **values})
    form.pop("body", None)
    form.update(body_data(*blocks))
    return client.post(url, form, follow=True)


def errors(answer: Any) -> list[str]:
    """The words of all errors of the form."""
    found = answer.context["form"].errors.as_data() if "form" in answer.context else {}
    return [words for group in found.values() for one in group for words in words_of(one)]


def test_fault_of_one_block_stands_at_it(chief: Client) -> None:
    button = {"text": "Go", "url": "{{ crat.url }}", "style": "filled", "align": "left"}
    answer = post(
        chief, reverse(ADD), ("html", "<p>Good</p>"), ("button", button), **{"action-publish": "x"}
    )
    (fault,) = answer.context["form"].errors["body"].as_data()
    assert set(fault.block_errors) == {1}
    assert errors(answer) == ["There is no variable “crat.url”. Did you mean “cart”?"]
    assert not Template.objects.exists()


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (("button", {"text": "Go", "url": "shop.example", "style": "filled", "align": "left"}),
         "The link “shop.example” leads nowhere from a mail. Write it whole, with https://."),
        (("mjml", "<mj-include path='x' />"), "“mj-include” cannot be used here. Remove it."),
    ],
)  # fmt: skip
def test_block_that_cannot_be_sent_is_refused_and_kept_as_a_draft(
    block: tuple[str, Any], words: str, chief: Client
) -> None:
    assert words in errors(post(chief, reverse(ADD), block, **{"action-publish": "x"}))
    post(chief, reverse(ADD), block)
    assert Template.objects.get().body[0].block_type == block[0]


def test_empty_body_is_a_draft_and_no_publication(chief: Client) -> None:
    assert errors(post(chief, reverse(ADD), **{"action-publish": "x"}))
    post(chief, reverse(ADD))
    assert not Template.objects.get().live


def test_raw_mjml_of_who_may_not_write_it_is_refused_in_drafts_too(client_with: ClientWith) -> None:
    editor = client_with(*EDITOR)
    for more in ({}, {"action-publish": "x"}):
        found = errors(post(editor, reverse(ADD), ("mjml", RAW), **more))
        assert [one for one in found if one.startswith("Raw MJML can be written only by those")]
    assert not Template.objects.exists()


def test_raw_mjml_is_written_by_who_may_and_left_alone_by_others(client_with: ClientWith) -> None:
    post(client_with(*EDITOR, "use_raw_mjml"), reverse(ADD), ("mjml", RAW))
    row = Template.objects.get()
    url = reverse("triggers_templates:edit", args=[row.pk])
    editor = client_with(*EDITOR)
    assert not errors(post(editor, url, ("mjml", RAW), ("html", "<p>More</p>")))
    assert len(Template.objects.get().get_latest_revision_as_object().body) == 2
    assert errors(post(editor, url, ("mjml", RAW.replace("Raw", "Mine"))))
    assert errors(post(editor, url, ("mjml", RAW), ("mjml", RAW)))
    body = Template.objects.get().get_latest_revision_as_object().body
    assert [one.value for one in body] == [RAW, "<p>More</p>"]


def test_large_mail_is_saved_with_a_warning_that_says_its_size(chief: Client) -> None:
    long = "{% for number in (1..40) %}<p>" + "word " * 600 + "</p>{% endfor %}"
    said = [str(one) for one in post(chief, reverse(ADD), ("html", long)).context["messages"]]
    assert len(long) < MAX_MAIL_BYTES < 40 * len(long)
    assert len([one for one in said if one.startswith("The mail has 1") and "Gmail" in one]) == 1
    url = reverse("triggers_templates:edit", args=[Template.objects.get().pk])
    said = [str(one) for one in post(chief, url, ("html", "<p>x</p>")).context["messages"]]
    assert not [one for one in said if "Gmail" in one]


def test_body_over_the_hard_limit_is_not_published(chief: Client) -> None:
    answer = post(chief, reverse(ADD), ("html", "x" * 70_000), **{"action-publish": "x"})
    assert "This is longer than 64 kB. Shorten it." in errors(answer)


def test_list_of_blocks_is_in_groups_and_says_what_each_is_for(chief: Client) -> None:
    html = chief.get(reverse(ADD)).content.decode()
    for words in ("Text", "Shop", "Layout", "Advanced", "A code in a frame", "One thing to do"):
        assert words in html
