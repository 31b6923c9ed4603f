"""What an editor, or a customer's data, must not be able to do (security.md T1, T2)."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from liquid.exceptions import LiquidError, ResourceLimitError

from wagtail_triggers.messages.liquid import (
    ContextProblem,
    freeze_context,
    parse,
    render_source,
)
from wagtail_triggers.messages.sandbox import HTML, PLAIN
from wagtail_triggers.messages.tokens import SourceProblem

CONTEXT = freeze_context(
    {
        "contact": {"first_name": "<script>alert(1)</script>", "secret": "s3cret"},
        "cart": {"lines": [{"name": "<img src=x onerror=alert(1)>", "quantity": 1}] * 50},
        "n": 5,
    }
)

#: They reach for Python, files, other templates, settings or other engines. None may parse, or what
#: comes out is plain and empty of what was asked for.
REACHING = [
    "{{ contact.__class__ }}",
    "{{ contact.__class__.__mro__[1].__subclasses__() }}",
    '{{ contact["__class__"] }}',
    '{{ "".__class__ }}',
    "{{ contact.items }}",
    "{{ contact.keys() }}",
    "{{ contact.pop }}",
    "{{ self }}",
    "{{ self._TemplateReference__context }}",
    "{{ request.application.__globals__ }}",
    "{{ config.items() }}",
    "{{ settings.SECRET_KEY }}",
    "{{ env }}",
    '{{ env "SECRET_KEY" }}',
    "{{ context }}",
    "{{ environment }}",
    "{{ now }}",
    "{{ today }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ n.real }}",
    "{{ n.__class__ }}",
    "{{ 7 * 7 }}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    '{% include "secrets" %}',
    '{% render "secrets" %}',
    '{% extends "base" %}',
    '{% macro "x" %}{% endmacro %}',
    '{% call "x" %}',
    "{% with a: 1 %}{% endwith %}",
    "{% liquid echo contact.secret %}",
    "{% echo contact.first_name %}",
    "{% raw %}<script>{% endraw %}",
    "{%- raw -%}<script>{%- endraw -%}",
    "{% doc %}x{% enddoc %}",
    "{% tablerow i in cart.lines %}{% endtablerow %}",
    "{% increment n %}",
    "{% ifchanged %}x{% endifchanged %}",
    "{% load static %}",
    "{% debug %}",
    "{% import os %}",
    "{{ contact.first_name | safe }}",
    "{{ contact.first_name | escapejs }}",
    "{{ 'c2VjcmV0' | base64_decode }}",
    "{{ 'x' | script_tag }}",
    "{{ 'x' | stylesheet_tag }}",
    "{{ contact | json }}",
    "{{ 'x' | t }}",
    "{{ contact | attr: '__class__' }}",
    "{{ 'os' | popen }}",
    "{{ contact | map: '__class__' }}",
    "{{ cart.lines | map: '__class__' | join }}",
    "{{ cart.lines | where: '__class__' }}",
    "{{ cart.lines | sort: '__class__' | size | minus: 50 }}",
]


@pytest.mark.parametrize("source", REACHING)
@pytest.mark.parametrize("html", [True, False])
def test_reaching_template_gets_nothing(source: str, html: bool) -> None:
    try:
        out = render_source(source, CONTEXT, html=html)
    except (LiquidError, SourceProblem):
        return
    for leaked in ("class", "s3cret", "module", "2026", "49", "object at", "built-in", "<script>"):
        assert leaked not in out.replace(source, "")


HEAVY = [
    "{% for i in (1..1000000000) %}x{% endfor %}",
    "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "{% assign r = (1..1000000000000) %}{% if r contains 1.5 %}x{% endif %}",
    "{% assign big = 99999999999 %}{% for i in (1..big) reversed %}{% endfor %}",
    '{{ (1..100000000) | join: "," }}',
    "{{ (1..100000000) | reverse | first }}",
    "{% for i in (1..2000) %}{% for j in (1..2000) %}x{% endfor %}{% endfor %}",
    "{% for i in (1..2000) %}{% assign a = i | times: i %}{% endfor %}" * 800,
    "{% for i in (1..2000) %}{% if n == 5 and n == 5 and n == 5 %}{% endif %}{% endfor %}" * 600,
    "{% for i in (1..2000) %}" + "{% if n %}{% endif %}" * 2500 + "{% endfor %}",
    '{% assign a = "xxxxxxxxxx" %}' + "{% assign a = a | append: a %}" * 40,
    "{% assign a = 'x' %}" + "{% assign a = a | replace: 'x', 'xxxxxxxxxxxxxxxx' %}" * 20,
    "{% assign a = 'xxxxxxxxxx' %}"
    + "{% assign a = a | append: a %}" * 13
    + "{{ a | replace: 'x', a }}",
    "{% assign a = 'xxxxxxxxxx' %}"
    + "{% assign a = a | append: a %}" * 13
    + "{% assign l = a | split: '' %}",
    "{% assign l = 'a,b,c,d' | split: ',' %}" + "{% assign l = l | concat: l %}" * 30,
    "{% assign l = 'a,b,c,d' | split: ',' %}"
    + "{% assign l = l | concat: l %}" * 8
    + "{{ l | uniq | size }}" * 3000,
    "{% assign a = 'xxxxxxxxxx' %}"
    + "{% assign a = a | append: a %}" * 13
    + "{% for i in (1..2000) %}{{ a | upcase | size }}{% endfor %}",
    "{% assign a = 'xxxxxxxxxx' %}"
    + "{% assign a = a | append: a %}" * 13
    + "{% assign b = a | append: 'y' %}{% assign c = a | append: 'y' %}"
    + "{% for i in (1..2000) %}{% if b contains c or c == b %}{% endif %}{% endfor %}" * 20,
    "{% assign a = 99 %}" + "{% assign a = a | times: a %}" * 30,
    "{{ 1 | round: 999999999 }}",
    "{{ 1.5 | round: 999999999 }}",
    "{{ '9' | append: '9999999999999999999999999999999999999999999' | plus: 1 | times: 1e300 }}",
    "{% if n %}" * 500 + "{% endif %}" * 500,
    "{% for a in cart.lines %}" * 40 + "{% endfor %}" * 40,
    "{% capture a %}" * 100 + "x" + "{% endcapture %}" * 100,
    "{{ " * 16000,
    "{% " * 16000,
    "{{ a" + " " * 60000 + "}}",
    "{% if a" + " " * 60000 + "%}{% endif %}",
    "{{ a" + (" " * 190 + "x") * 4 + " }}",
    "{{" + " |" * 30000 + "}}",
    "{{ a" + "[a" * 20000 + "]" * 20000 + "}}",
    "{{ a" + "[a" * 400 + " }}",
    "{% if " + "a and " * 150 + "a %}{% endif %}",
    "".join(f"{{% assign v{i} = n %}}" for i in range(3000)),
    "{% cycle 'a', 'b' %}" * 3000,
    "{{ '<' | append: '<<<<<<<<<<<<<<<<' | strip_html }}" * 1000,
    "{% assign a = '<<<<<<<<<<' %}"
    + "{% assign a = a | append: a %}" * 13
    + "{{ a | strip_html | size }}" * 100,
    "{% assign a = '<a <a <a <' %}"
    + "{% assign a = a | append: a %}" * 13
    + "{{ a | strip_html | size }}" * 100,
    "{{ n | date: 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy' }}",
    "{{ '2026-01-01' | date: 'SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS' }}",
]


@pytest.mark.parametrize("source", HEAVY, ids=[f"{i}-{s[:30]}" for i, s in enumerate(HEAVY)])
def test_heavy_template_ends_soon(source: str) -> None:
    parse.cache_clear()
    started = time.thread_time()
    try:
        out = render_source(source[: 64 * 1024], CONTEXT, html=False)
    except (LiquidError, SourceProblem):
        out = ""
    assert time.thread_time() - started < 2.0
    assert len(out) <= 500_000


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..2001) %}x{% endfor %}",
        "{% for i in (1..50) %}{% for j in (1..50) %}x{% endfor %}{% endfor %}",
        "{% for i in (1..2000) %}{{ 'xxxxxxxxxxxxxxxxxxxx' | append: 'xxxxxxxxxxxxxxxxxxxxx' }}"
        + "x" * 300
        + "{% endfor %}",
        "{% for i in (1..2000) %}{{ n }}{{ n }}{{ n }}{{ n }}{{ n }}{% endfor %}" * 15,
    ],
)
def test_limit_is_met_rather_than_cut_short(source: str) -> None:
    with pytest.raises(ResourceLimitError):
        render_source(source, CONTEXT, html=False)


def test_loops_within_the_limits_render() -> None:
    assert render_source("{% for i in (1..2000) %}x{% endfor %}", {}, html=False) == "x" * 2000


#: Every place where a text of the template, or of a person, can come out.
MARKUP = "<script>alert(1)</script>"
PLACES = [
    "{{ '%s' }}",
    "{{ x | default: '%s' }}",
    "{{ 'a' | append: '%s' }}",
    "{{ 'a' | prepend: '%s' }}",
    "{{ 'a' | replace: 'a', '%s' }}",
    "{{ 'a' | replace_first: 'a', '%s' }}",
    "{{ 'a' | replace_last: 'a', '%s' }}",
    "{{ '%s' | upcase }}",
    "{{ '%s,b' | split: ',' | first }}",
    "{{ '%s,b' | split: ',' | join: '%s' }}",
    "{{ '%s' | truncate: 200 }}",
    "{{ '%s' | newline_to_br }}",
    "{{ '%s' | escape }}",
    "{{ '%s' | escape_once }}",
    "{{ '%s' | escape_once | escape_once }}",
    "{{ '%s' | url_encode | url_decode }}",
    "{{ '%s' | strip_newlines }}",
    "{{ '%s' | squish | strip | lstrip | rstrip }}",
    "{%% cycle '%s', 'b' %%}",
    "{%% assign v = '%s' %%}{{ v }}",
    "{%% capture v %%}{{ '%s' }}{%% endcapture %%}{{ v }}",
    "{%% capture v %%}{{ '%s' }}{%% endcapture %%}{{ v | slice: 0, 300 }}",
    "{%% capture v %%}{{ '%s' }}{%% endcapture %%}{{ v | escape_once }}",
    "{%% capture v %%}{{ '%s' }}{%% endcapture %%}{{ v | replace: '&lt;', '<' }}",
    "{%% for i in '%s' %%}{{ i }}{%% endfor %%}",
    "{%% if true %%}{{ '%s' }}{%% endif %%}",
    "{%% case n %%}{%% when 5 %%}{{ '%s' }}{%% endcase %%}",
    "{%% unless false %%}{{ '%s' }}{%% endunless %%}",
]


@pytest.mark.parametrize("place", PLACES)
def test_text_of_the_template_is_escaped_in_html(place: str) -> None:
    source = place.replace("%s", MARKUP).replace("%%", "%")
    assert "<script" not in render_source(source, CONTEXT, html=True).lower()


@pytest.mark.parametrize("place", PLACES)
def test_text_of_a_person_is_escaped_in_html(place: str) -> None:
    source = place.replace("'%s'", "contact.first_name").replace("'%s,b'", "contact.first_name")
    assert "<script" not in render_source(source.replace("%%", "%"), CONTEXT, html=True).lower()


def test_quotes_are_escaped_in_html() -> None:
    context = freeze_context({"x": "\"><b a='"})
    assert render_source("{{ x }}", context, html=True) == "&#34;&gt;&lt;b a=&#39;"


def test_plain_text_is_not_escaped() -> None:
    assert render_source("{{ x }}", {"x": "Tom & <Jerry>"}, html=False) == "Tom & <Jerry>"


def test_captured_markup_keeps_its_tags_and_escapes_its_values() -> None:
    out = render_source(
        "{% capture a %}<b>{{ x }}</b>{% endcapture %}{{ a }}", {"x": "<i>"}, html=True
    )
    assert out == "<b>&lt;i&gt;</b>"


class Account:
    def delete(self) -> str:
        raise AssertionError("a template called a method")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"account": Account()}, "account"),
        ({"contact": {"account": Account()}}, "contact.account"),
        ({"lines": [{"product": Account}]}, "lines[0].product"),
        ({"call": print}, "call"),
        ({"raw": b"bytes"}, "raw"),
        ({"many": {1, 2}}, "many"),
        ({"more": (n for n in range(3))}, "more"),
        ({"z": 1j}, "z"),
    ],
)
def test_context_with_an_object_is_refused_by_its_path(value: dict[str, object], path: str) -> None:
    with pytest.raises(ContextProblem, match=rf"“{path.replace('[', '.').replace(']', '.')}”"):
        freeze_context(value)


def test_context_with_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(ContextProblem, match="text keys"):
        freeze_context({"lines": {1: "a"}})


def test_context_that_contains_itself_is_refused() -> None:
    loop: dict[str, object] = {}
    loop["again"] = loop
    with pytest.raises(ContextProblem, match="32 levels"):
        freeze_context(loop)


def test_context_is_a_copy() -> None:
    given = {"lines": [{"price": Decimal("1.50")}]}
    frozen = freeze_context(given)
    given["lines"].clear()
    assert frozen == {"lines": [{"price": Decimal("1.50")}]}


def test_safe_string_in_the_context_is_escaped_all_the_same() -> None:
    from django.utils.safestring import mark_safe

    frozen = freeze_context({"x": mark_safe("<script>")})
    assert render_source("{{ x }}", frozen, html=True) == "&lt;script&gt;"


def test_half_a_character_in_the_context_becomes_a_question_mark() -> None:
    assert freeze_context({"x": "a\ud800b"}) == {"x": "a?b"}


def test_environments_know_only_the_allowed_tags_and_filters() -> None:
    for environment in (HTML, PLAIN):
        assert sorted(name for name in environment.tags if name.isalpha()) == [
            "assign", "break", "capture", "case", "comment", "content", "continue", "cycle", "for",
            "if", "illegal", "output", "unless",
        ]  # fmt: skip
        assert not {"safe", "escapejs", "json", "base64_decode", "script_tag"} & set(
            environment.filters
        )
        assert environment.loop_iteration_limit == 2_000
        assert environment.local_namespace_limit == 200_000
        assert environment.output_stream_limit == 500_000
        assert environment.context_depth_limit == environment.block_nesting_limit == 30


def test_source_over_the_compiled_limit_is_refused() -> None:
    with pytest.raises(SourceProblem, match="512 kB"):
        parse("x" * (512 * 1024 + 1), HTML)


def test_parsed_templates_are_cached_within_bounds() -> None:
    parse.cache_clear()
    assert parse("{{ a }}", HTML) is parse("{{ a }}", HTML)
    assert parse("{{ a }}", HTML) is not parse("{{ a }}", PLAIN)
    assert parse.cache_info().maxsize == 512
