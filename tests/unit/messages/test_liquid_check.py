"""What an editor is told before a template is published."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from wagtail_triggers.messages.liquid import LiquidProblem, check
from wagtail_triggers.messages.variables import (
    UnknownVariable,
    Variable,
    VariableTree,
    message_variables,
    tree_from_model,
)


class Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class Money(Part):
    amount: str
    currency: str


class Line(Part):
    name: str
    quantity: int
    unit_price: Money


class OrderPlaced(Part):
    number: str
    lines: list[Line]
    total: Money | None = None


class SearchPerformed(Part):
    query: str
    filters: dict[str, str] = {}


class Nothing(Part):
    pass


VARIABLES = message_variables([OrderPlaced, SearchPerformed])


def problems(source: str, variables: VariableTree = VARIABLES) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in check(source, variables=variables, field="body")]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "Hello",
        "{{ contact.first_name }}",
        "{{ contact['first_name'] }}",
        "{{ contact.first_name | default: 'you' | upcase }}",
        "{{ event.number }} {{ event.query }} {{ event.total | money }}",
        "{{ event.filters.colour }}",
        "{% for line in cart.lines %}{{ line.name }}{{ forloop.index }}{% endfor %}",
        "{% for line in event.lines %}{{ line.unit_price | money }}{% endfor %}",
        "{% for line in cart.lines reversed %}{{ forloop.parentloop.index }}{% endfor %}",
        "{{ cart.lines.first.name }} {{ cart.lines[0].name }} {{ cart.lines.size }}",
        "{% assign top = cart.lines | sort: 'quantity' | last %}{{ top.name }}",
        "{% assign rest = cart.lines | where: 'quantity', 1 %}"
        "{% for l in rest %}{{ l.sku }}{% endfor %}",
        "{% assign a = 1 | plus: 2 %}{{ a }}{% if a > 2 %}{{ a.anything }}{% endif %}",
        "{% capture b %}{{ contact.email }}{% endcapture %}{{ b }}",
        "{% if contact.birthday == nil %}{% endif %}{% if cart.lines == empty %}{% endif %}",
        "{% case contact.language %}{% when 'de' %}Hallo{% else %}Hello{% endcase %}",
        "{% comment %}{{ nothing | known }}{% nor this %}{% endcomment %}",
        "{% # an aside %}",
        "{{ contact.first_name | append: ' | unknown_filter' }}",
        "{% cycle 'odd', 'even' %}",
        "{{ site.name }} {{ site.url }} {{ links.unsubscribe }} {{ links.preferences }}",
        "{{ order.tracking_url }} {{ order.total.amount | money: order.total.currency }}",
    ],
)
def test_check_of_a_good_template_finds_nothing(source: str) -> None:
    assert problems(source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{{ contact.frist_name }}",
            "There is no variable “contact.frist_name”. Did you mean “contact.first_name”?",
        ),
        (
            "{{ first_name }}",
            "There is no variable “first_name”. Did you mean “contact.first_name”?",
        ),
        ("{{ contct.email }}", "There is no variable “contct.email”. Did you mean “contact”?"),
        ("{{ wallet }}", "There is no variable “wallet”."),
        (
            "{{ event.nubmer }}",
            "There is no variable “event.nubmer”. Did you mean “event.number”?",
        ),
        ("{{ now | date }}", "There is no variable “now”."),
        ("{{ contact.first_name.x }}", "There is no variable “contact.first_name.x”."),
        (
            "{% for line in cart.lines %}{{ line.unit_price.amout }}{% endfor %}",
            "There is no variable “line.unit_price.amout”. "
            "Did you mean “line.unit_price.amount”?",
        ),
        (
            "{% for line in event.lines %}{{ line.nam }}{% endfor %}",
            "There is no variable “line.nam”. Did you mean “line.name”?",
        ),
        (
            "{% for line in cart.lines %}{% endfor %}{{ line.name }}",
            "There is no variable “line.name”. Did you mean “links”?",
        ),
        ("{{ cart.lines.name }}", "There is no variable “cart.lines.name”."),
        ("{{ 'a' | append: missing }}", "There is no variable “missing”."),
        ("{% if missing %}{% endif %}", "There is no variable “missing”."),
        ("{% for a in (1..missing) %}{% endfor %}", "There is no variable “missing”."),
        ("{% assign a = missing %}", "There is no variable “missing”."),
        ("{% case missing %}{% when 1 %}{% endcase %}", "There is no variable “missing”."),
        ("{{ contact[missing] }}", "There is no variable “missing”."),
        ("{{ 1 | monye }}", "There is no filter “monye”. Did you mean “money”?"),
        ("{{ 1 | safe }}", "There is no filter “safe”."),
        ("{% includ 'a' %}", "There is no tag “includ”."),
        ("{% esle %}", "There is no tag “esle”."),
        ("{% fro a in b %}", "There is no tag “fro”. Did you mean “for”?"),
        (
            "{{ cart.total }}",
            "“cart.total” is not a text. Write “| money” after it, to show it as a price.",
        ),
        ("{{ contact }}", "“contact” is not a text. Name one of its fields."),
        ("{{ cart.lines }}", "“cart.lines” is not a text. Go through it with “for”."),
        ("{{ contact.email", "“{{ contact.email” is not closed. Write “}}” after it."),
        ("{% if contact.email", "“{% if contact.email” is not closed. Write “%}” after it."),
        ("{% %}", "A tag has no name. Write for example “{% if contact.first_name %}”."),
        ("{% raw %}x{% endraw %}", "There is no tag “raw”."),
    ],
)  # fmt: skip
def test_check_of_a_mistake_names_it_and_the_fix(source: str, expected: str) -> None:
    assert (1, expected) in problems(source)


@pytest.mark.parametrize(
    "source", ["{% if contact.email %}", "{% endif %}", "{{ a b }}", "{{ | }}"]
)
def test_check_of_broken_syntax_is_one_problem(source: str) -> None:
    assert len(problems(source)) == 1


def test_check_counts_lines_from_one() -> None:
    source = "one\n{{ contact.email }}\n{{ nope }}\n\n{% if nada %}\n{% endif %}"
    assert problems(source) == [
        (3, "There is no variable “nope”."),
        (5, "There is no variable “nada”."),
    ]


def test_problem_of_broken_syntax_has_its_line() -> None:
    assert problems("a\nb\n{% if x ! %}{% endif %}")[0][0] == 3


def test_problem_says_its_field_and_line() -> None:
    (problem,) = check("{{ nope }}", variables=VARIABLES, field="subject")
    assert problem == LiquidProblem("subject", 1, "There is no variable “nope”.")
    assert str(problem) == "Line 1: There is no variable “nope”."


def test_check_of_a_long_source_is_refused() -> None:
    assert problems("x" * (64 * 1024 + 1)) == [(1, "This is longer than 64 kB. Shorten it.")]


def test_facts_of_the_host_are_known() -> None:
    variables = message_variables(facts={"loyalty_points": Variable("number")})
    assert problems("{{ contact.loyalty_points }}", variables) == []
    assert problems("{{ contact.loyalty_points }}") != []


def test_event_that_says_nothing_holds_nothing() -> None:
    assert problems("{{ event.number }}", message_variables([Nothing])) == [
        (1, "There is no variable “event.number”.")
    ]


def test_event_without_known_payloads_may_hold_anything() -> None:
    assert problems("{{ event.whatever.it.is }}", message_variables()) == []


def test_tree_from_model_knows_money_lists_and_optionals() -> None:
    tree = tree_from_model(OrderPlaced)
    assert {name: one.kind for name, one in tree.fields.items()} == {
        "number": "text",
        "lines": "list",
        "total": "money",
    }
    item = tree.fields["lines"].item
    assert item is not None
    assert {name: one.kind for name, one in item.fields.items()} == {
        "name": "text",
        "quantity": "number",
        "unit_price": "money",
    }


def test_resolve_of_a_missing_path_suggests_the_nearest() -> None:
    with pytest.raises(UnknownVariable) as caught:
        VARIABLES.resolve(["cart", "line", 0, "name"])
    assert caught.value.path == "cart.line.0.name"
    assert caught.value.suggestion == "cart.lines"


def test_paths_list_what_an_editor_can_pick() -> None:
    paths = dict(VARIABLES.paths())
    assert paths["contact.first_name"].kind == "text"
    assert paths["cart.lines[].unit_price"].kind == "money"
    assert "event.query" in paths
