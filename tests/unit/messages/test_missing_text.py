"""An empty text is missing: whichever way an editor asks, the answer is the same."""

from __future__ import annotations

import pytest

from wagtail_triggers.messages.liquid import freeze_context, render_source


@pytest.mark.parametrize(
    "condition",
    [
        "contact.first_name",
        'contact.first_name != ""',
        "contact.first_name != blank",
        "contact.first_name != empty",
        "contact.first_name != nil",
    ],
)
@pytest.mark.parametrize(
    ("contact", "expected"),
    [({"first_name": "Ada"}, "known"), ({"first_name": ""}, "unknown"), ({}, "unknown")],
)
def test_condition_on_a_text_holds_only_where_there_is_one(
    condition: str, contact: dict[str, str], expected: str
) -> None:
    source = f"{{% if {condition} %}}known{{% else %}}unknown{{% endif %}}"
    context = freeze_context({"contact": contact})
    assert render_source(source, context, html=False, language="en", time_zone="UTC") == expected


def test_empty_text_prints_nothing_and_takes_the_default() -> None:
    context = freeze_context({"contact": {"first_name": ""}})
    source = "[{{ contact.first_name }}][{{ contact.first_name | default: 'friend' }}]"
    assert (
        render_source(source, context, html=False, language="en", time_zone="UTC") == "[][friend]"
    )
