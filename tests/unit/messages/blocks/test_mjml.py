"""Raw MJML is let in as far as it can do no harm."""

from __future__ import annotations

import pytest

from wagtail_triggers.exceptions import TemplateProblem
from wagtail_triggers.messages.blocks.kinds.mjml import checked

from .letters import PEOPLE, letter, text_of, words_of

GOOD = "<mj-section><mj-column><mj-text>Hello {{ contact.first_name }}</mj-text></mj-column></mj-section>"  # noqa: E501


def wrapped(inner: str) -> str:
    return f"<mj-section><mj-column><mj-text>{inner}</mj-text></mj-column></mj-section>"


def test_section_takes_the_mails_colours_and_is_read_out() -> None:
    made = letter(("mjml", GOOD), data=PEOPLE)
    assert (words_of(made.html), text_of(made.text)) == ("Hello Anna", "Hello Anna")
    assert made.html.count('class="wt-body"') == 1


def test_section_with_a_class_of_its_own_keeps_its_colours() -> None:
    own = GOOD.replace("<mj-section>", '<mj-section css-class="mine" background-color="#123456">')
    html = letter(("mjml", own), data=PEOPLE).html
    assert "#123456" in html
    assert 'class="mine"' in html


@pytest.mark.parametrize(
    "source",
    [
        '<mj-include path="/etc/passwd" />',
        '<mj-section><mj-include path="x.mjml" /></mj-section>',
        "<mj-head><mj-style>x</mj-style></mj-head>",
        "<mj-raw><script>alert(1)</script></mj-raw>",
        wrapped("<script>alert(1)</script>"),
        wrapped("<IFRAME src='https://a.example'></IFRAME>"),
        wrapped("<form><input name='a'></form>"),
        wrapped("<a href='https://a.example' onclick='x()'>a</a>"),
        wrapped("<img/onerror=alert(1) src='https://a.example/x.png'>"),
        wrapped("<svg><a></a></svg>"),
        "plain words",
        "<p>no section</p>",
        "<mj-section><mj-column>",
    ],
)
def test_what_may_not_stand_in_a_body_is_refused(source: str) -> None:
    with pytest.raises(TemplateProblem):
        checked(source)


def test_link_that_the_data_turns_into_a_script_is_taken_out() -> None:
    source = wrapped('<a href="{{ contact.url }}">a</a>')
    html = letter(("mjml", source), data={"contact": {"url": "java\tscript:alert(1)"}}).html
    assert "script:" not in html
