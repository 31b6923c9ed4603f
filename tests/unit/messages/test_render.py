"""One person's mail out of a compiled template."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from wagtail_triggers.messages.compile import Brand, Compiled, compile_email
from wagtail_triggers.messages.liquid import ContextProblem
from wagtail_triggers.messages.render import Rendered, RenderError, one_line, render, safe_urls

BRAND = Brand(name="Mug & Co", postal_address="1 Main Street", url="https://shop.example")
CONTEXT: dict[str, object] = {
    "contact": {"first_name": "Änne <b>"},
    "cart": {
        "url": "https://shop.example/cart?a=1&b=2",
        "lines": [
            {"name": f"Mug {i} & pot", "unit_price": {"amount": Decimal("1.5"), "currency": "EUR"}}
            for i in (1, 2)
        ],
    },
    "links": {"unsubscribe": "https://shop.example/u/1", "preferences": ""},
}


def mail(body: str, *, subject: str = "Hello", context: dict[str, object] = CONTEXT) -> Rendered:
    compiled = compile_email(subject=subject, preheader="", body=body, brand=BRAND, marketing=True)
    return render(compiled, context, language="de", time_zone="Europe/Berlin")


def test_render_escapes_in_html_and_not_in_subject_and_text() -> None:
    result = mail("<p>{{ contact.first_name }}</p>", subject="For {{ contact.first_name }}")
    assert result.subject == "For Änne <b>"
    assert "Änne &lt;b&gt;" in result.html
    assert "<b>" not in result.html.split("</head>")[1]
    assert result.text.startswith("Änne <b>\n")


def test_render_writes_each_row_of_a_table() -> None:
    result = mail(
        "<table><tbody>{% for l in cart.lines %}<tr><td>{{ l.name }}</td>"
        "<td>{{ l.unit_price | money }}</td></tr>{% endfor %}</tbody></table>"
    )
    assert (
        result.html.count("Mug 1 &amp; pot</td>") == result.html.count("Mug 2 &amp; pot</td>") == 1
    )
    assert result.text.startswith("Mug 1 & pot  1,50\xa0€\nMug 2 & pot  1,50\xa0€\n\n-- \n")


def test_render_leaves_out_the_link_to_a_preference_centre_that_is_not_there() -> None:
    result = mail("<p>x</p>")
    assert "Choose which mails" not in result.html + result.text
    context = {**CONTEXT, "links": {"unsubscribe": "u", "preferences": "https://shop.example/p"}}
    result = mail("<p>x</p>", context=context)
    assert 'href="https://shop.example/p"' in result.html
    assert "Choose which mails you get: https://shop.example/p" in result.text


def test_link_with_a_query_is_escaped_in_html_and_whole_in_text() -> None:
    result = mail('<a href="{{ cart.url }}">x</a>')
    assert 'href="https://shop.example/cart?a=1&amp;b=2"' in result.html
    assert "x <https://shop.example/cart?a=1&b=2>" in result.text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "\u200bjavascript:alert(1)",
        "javascript&#58;alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "ftp://evil.example/",
        "//evil.example/",
        "cart/",
    ],
)
@pytest.mark.parametrize("body", ['<a href="{{ x }}">y</a>', '<img src="{{ x }}" alt="y">'])
def test_address_that_is_no_link_is_taken_out(
    address: str, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    result = mail(body, context={**CONTEXT, "x": address})
    assert '="#"' in result.html
    assert "script:" not in result.html.lower()
    assert "evil.example" not in result.html
    assert "taken out" in caplog.text
    assert address not in caplog.text


@pytest.mark.parametrize(
    "address",
    ["https://a.example/?x=1", "http://a.example", "mailto:a@b.example", "tel:+49301", "#top", ""],
)
def test_address_that_is_a_link_stays(address: str) -> None:
    html = f'<a href="{address}">y</a>'
    assert safe_urls(html) == html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", "Hello"),
        ("a\r\nBcc: evil@example.com", "a Bcc: evil@example.com"),
        ("a\nb\x00c\x1bd\x7fe\x85f\x9fg", "a b c d e f g"),
        ("a\u2028b\u2029c", "a b c"),
        ("  spaced   out ", "spaced out"),
        ("e\u0301", "é"),
        ("x" * 300, "x" * 200),
        ("你好 世界 👋", "你好 世界 👋"),
        ("", ""),
    ],
)
def test_subject_is_one_clean_line(text: str, expected: str) -> None:
    assert one_line(text) == expected
    assert mail("<p>x</p>", subject="{{ s }}", context={**CONTEXT, "s": text}).subject == expected


def test_render_error_names_the_part_and_the_line() -> None:
    compiled = Compiled(subject="ok", preheader="", html="", text="a\nb {{ 1 | divided_by: zero }}")
    with pytest.raises(RenderError, match="cannot divide by zero") as caught:
        render(compiled, {"zero": 0}, language="en", time_zone="UTC")
    assert (caught.value.field, caught.value.line) == ("text", 2)


def test_render_error_of_pythons_own_does_not_quote_data() -> None:
    compiled = Compiled(subject="{{ xs | sort: 'a' }}", preheader="", html="", text="")
    context: dict[str, object] = {"xs": [{"a": "secret@example.com"}, {"a": 1}]}
    with pytest.raises(RenderError) as caught:
        render(compiled, context, language="en", time_zone="UTC")
    assert caught.value.field == "subject"
    assert "secret@example.com" not in str(caught.value)


def test_render_over_a_limit_is_an_error_that_says_so() -> None:
    compiled = Compiled(
        subject="{% for i in (1..9999) %}x{% endfor %}", preheader="", html="", text=""
    )
    with pytest.raises(RenderError, match="loop iteration limit"):
        render(compiled, {}, language="en", time_zone="UTC")


def test_render_with_a_model_in_the_context_is_refused() -> None:
    with pytest.raises(ContextProblem, match=r"“cart\.customer”"):
        mail("<p>x</p>", context={**CONTEXT, "cart": {"customer": object()}})


def test_lines_of_an_untaken_branch_leave_no_gap_in_the_text() -> None:
    result = mail("<p>a</p>{% if contact.nothing %}<p>b</p>{% endif %}<p>c</p>")
    assert result.text.startswith("a\n\nc\n\n-- \n")
