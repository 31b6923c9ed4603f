"""From an editor's body to sources that are mails."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from wagtail_triggers.exceptions import ConfigurationError, TemplateProblem
from wagtail_triggers.messages.compile import (
    Brand,
    Compiled,
    compile_email,
    compile_sections,
    plain_text,
)
from wagtail_triggers.messages.sanitise import clean_html, clean_style

BRAND = Brand(
    name="Mug & Co {{ x }}",
    postal_address="1 Main Street\n12345 Town",
    url="https://shop.example",
    footer="Ltd. <no 1>",
)
BODY = """<h1>Hello {{ contact.first_name }},</h1>
<table class="lines"><tbody>{% for line in cart.lines %}<tr><td>{{ line.name }}</td>
<td class="number">{{ line.unit_price | money }}</td></tr>{% endfor %}</tbody></table>
{% if cart.lines.size > 3 %}<p>Many!</p>{% endif %}
<p><a class="button" href="{{ cart.url }}">Back to my cart</a></p>"""


def compiled(body: str = BODY, *, marketing: bool = True, preheader: str = "") -> Compiled:
    return compile_email(
        subject="Hello", preheader=preheader, body=body, brand=BRAND, marketing=marketing
    )


def test_compiled_html_keeps_the_loop_around_its_rows() -> None:
    html = compiled().html
    loop = html[html.index("{% for line") : html.index("{% endfor %}")]
    assert loop.count("<tr") == loop.count("</tr>") == 1
    assert html.index("<tbody>{% for line in cart.lines %}<tr>") > 0
    assert "{% endfor %}</tbody>" in html
    assert "{% if cart.lines.size > 3 %}" in html


def test_compiled_html_has_its_styles_inline_and_media_queries_in_the_head() -> None:
    html = compiled().html
    assert 'class="button" href="{{ cart.url }}" style="' in html
    assert "background-color:#2b5fd9" in html
    (style,) = re.findall(r"<style>(.*?)</style>", html.split("</head>")[0], re.DOTALL)
    assert "prefers-color-scheme: dark" in style
    assert "max-width: 480px" in style
    assert '<meta name="color-scheme" content="light dark">' in html


def test_compiled_html_loads_nothing_from_elsewhere() -> None:
    html = compiled().html
    assert "@import" not in html
    assert "fonts.googleapis" not in html
    assert "<link" not in html
    assert "<script" not in html


def test_compiled_html_hides_the_preheader_above_the_body() -> None:
    html = compiled(preheader="{{ cart.lines.size }} things & more").html
    assert re.search(
        r'<div style="display:none[^"]*">{{ cart.lines.size }} things &amp; more<', html
    )
    assert html.index("things &amp; more") < html.index("{{ contact.first_name }}")


def test_brand_is_text_and_never_liquid() -> None:
    result = compiled()
    assert "{{ x }}" not in result.html
    assert "{{ x }}" not in result.text
    assert "Mug &amp; Co &#123;{ x }}" in result.html
    assert "Mug & Co { { x }}" in result.text
    assert "Ltd. &lt;no 1&gt;" in result.html


def test_marketing_footer_has_unsubscribe_link_and_postal_address() -> None:
    result = compiled()
    assert re.search(r'<a href="{{ links.unsubscribe }}"[^>]*>Unsubscribe</a>', result.html)
    assert "1 Main Street<br>12345 Town" in result.html
    assert "Unsubscribe: {{ links.unsubscribe }}" in result.text
    assert "1 Main Street\n12345 Town" in result.text


def test_transactional_footer_has_the_address_and_no_unsubscribe_link() -> None:
    result = compiled(marketing=False)
    assert "unsubscribe" not in (result.html + result.text).lower()
    assert "1 Main Street<br>12345 Town" in result.html


def test_document_says_its_language_and_direction() -> None:
    with translation.override("de"):
        assert '<html lang="de" dir="ltr"' in compiled().html
    with translation.override("ar"):
        assert '<html lang="ar" dir="rtl"' in compiled().html


def test_comments_of_the_editor_are_gone() -> None:
    result = compiled("<p>a<!-- secret {{ contact.email }} -->b</p>")
    assert "secret" not in result.html + result.text
    assert ">ab</p>" in result.html


#: What must not come out of a body, whatever comes in.
FORBIDDEN = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data='x'></object><embed src='x'>",
    "<form action='https://evil.example'><input name=a></form>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href='https://evil.example'>",
    "<style>@import url(https://evil.example)</style>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java&#10;script:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<p style='background:url(https://evil.example/p.gif)'>x</p>",
    "<p style='background-image:url(javascript:alert(1))'>x</p>",
    "<p style='color:expression(alert(1))'>x</p>",
    "<p style='position:fixed;top:0'>x</p>",
    "<p style='color:red;-moz-binding:url(x)'>x</p>",
    "<p style='width:1px;behavior:url(x)'>x</p>",
    "<p style='color:\\65xpression(1)'>x</p>",
    "<video src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<mj-include path='/etc/passwd' />",
    "<mj-raw><script>alert(1)</script></mj-raw>",
    "</mj-text><mj-include path='/etc/passwd' /><mj-text>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<b title='<script>alert(1)</script>'>x</b>",
    "<textarea></textarea><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>&x;",
]


HARMLESS = {
    "html", "head", "title", "meta", "style", "body", "div", "table", "tbody", "tr", "td", "a", "p",
    "h1", "b", "img", "br",
}  # fmt: skip


class Reader(HTMLParser):
    """Everything active in a document, outside of comments."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


@pytest.mark.parametrize("body", FORBIDDEN)
def test_compiled_html_of_a_hostile_body_holds_nothing_active(body: str) -> None:
    reader = Reader()
    try:
        reader.feed(compiled(body, marketing=False).html)
    except TemplateProblem:
        return  # Refused is as good: nothing comes out.
    assert reader.tags <= HARMLESS
    for tag, name, value in reader.attributes:
        assert not name.startswith("on")
        assert tag == "meta" or "evil.example" not in value
        assert "passwd" not in value
        flat = re.sub(r"[\s\x00-\x20]", "", value.lower())
        assert not flat.startswith(("javascript:", "vbscript:", "data:"))
        assert "url(" not in flat
        assert "expression(" not in flat
        assert "position:" not in flat


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<p>{% if a %}</p>", "Line"),
        ("<p>{{ a | nofilter }}</p>", "nofilter"),
        ("<p>{% include 'x' %}</p>", "include"),
        ("<p>{{ a </p>", "not closed"),
        ("<script>{{ a }}</script>", "stands where HTML does not allow it"),
        ("<a href='java{{ a }}script:alert(1)'>x</a>", "stands where HTML does not allow it"),
        ("<iframe src='{{ a }}'></iframe>", "stands where HTML does not allow it"),
        ("<p onclick='{{ a }}'>x</p>", "stands where HTML does not allow it"),
        ("<a href='cart/'>x</a>", "leads nowhere from a mail"),
        ("<a href='//evil.example/'>x</a>", "leads nowhere from a mail"),
        ("<p>{% raw %}<script>{% endraw %}</p>", "raw"),
        ("&#123;% raw %&#125;x", None),
    ],
)
def test_body_that_cannot_be_compiled_is_refused_with_the_reason(
    body: str, message: str | None
) -> None:
    if message is None:
        assert "{%" not in compiled(body, marketing=False).html
        return
    with pytest.raises(TemplateProblem, match=message):
        compiled(body)


#: Pieces that parsers stumble over, in any order.
PIECES = [
    "<p>", "</p>", "<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<li>", "</li>",
    '<a href="', "{{ cart.url }}", '">', "</a>", "{% for l in cart.lines %}", "{% endfor %}",
    "{% if a > 1 %}", "{% else %}", "{% endif %}", "{{ l.name }}", "text & more", "<", '"', "'",
    ">", "<b", "</b>", "<script>", "</script>", "<style>", "</style>", "<!--", "-->", "&#123;", "{",
    "}", "{%", "%}", "{{", "}}", "<img src='{{ x }}' alt='", "' onerror=alert(1) ", "<svg>",
    "<textarea>", "</textarea>", "<title>", "<mj-text>", "</mj-text>", "{% capture z %}",
    "{% endcapture %}", "wtLQ0QL", "<!--wtLQ1QL-->", "<!--wtBODY-->", "<![CDATA[", "]]>", "<?php ",
    "\x00", "\u2028",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_body_compiles_to_nothing_active_or_is_refused(pieces: list[str]) -> None:
    body = "".join(pieces)
    try:
        html = compiled(body, marketing=False).html
    except TemplateProblem:
        return
    reader = Reader()
    reader.feed(html)
    assert not reader.tags & {"script", "svg", "textarea", "iframe", "mj-text", "link", "base"}
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    tokens = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", html, re.DOTALL)
    written = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", body, re.DOTALL)
    rest = iter(written)
    assert all(token in rest for token in tokens)  # the same tokens in the same order


def test_braces_written_as_entities_stay_text() -> None:
    result = compiled(
        "<p title='&#123;&#123; b }}'>&#123;&#123; a }} &lcub;% if x %}</p>", marketing=False
    )
    assert "{{" not in result.html
    assert "{%" not in result.html
    assert "{{" not in result.text


def test_relative_links_get_the_shops_address() -> None:
    assert 'href="https://shop.example/cart/"' in compiled("<a href='/cart/'>x</a>").html


def test_rare_characters_in_attributes_survive() -> None:
    html = compiled('<img src="https://a.example/x.png" alt="👩‍🚀 “q” \\ é&#10;z">').html
    assert 'alt="👩‍🚀 “q” \\ é\nz"' in html


def test_clean_style_keeps_what_mails_need() -> None:
    assert clean_style("COLOR: #fff; padding:4px 8px") == "color: #fff; padding: 4px 8px"
    assert clean_style("font-family:'Segoe UI', Arial") == "font-family: 'Segoe UI', Arial"
    assert clean_style("background-color:rgb(1, 2,3)") == "background-color: rgb(1, 2,3)"


def test_clean_html_keeps_only_the_layouts_classes() -> None:
    assert clean_html('<p class="button wt-card x muted">a</p>') == '<p class="button muted">a</p>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<p>See <a href='https://a.example/x'>our shop</a>.</p>", "See our shop <https://a.example/x>."),
        ("<a href='https://a.example/'>https://a.example/</a>", "https://a.example/"),
        ("<p>Hi {{ contact.first_name }} &amp; co</p>", "Hi {{ contact.first_name }} & co"),
        (
            "<ul>{% for l in x %}<li>{{ l }}</li>{% endfor %}</ul>",
            "{% for l in x %}* {{ l }}\n{% endfor %}",
        ),
        (
            "<table><tbody>{% for l in x %}<tr><td>{{ l.a }}</td><td>{{ l.b }}</td></tr>"
            "{% endfor %}</tbody></table><p>End</p>",
            "{% for l in x %}{{ l.a }}  {{ l.b }}\n{% endfor %}\nEnd",
        ),
        ("<p>{% if x > 1 %}a{% else %}b{% endif %}</p>", "{% if x > 1 %}a{% else %}b{% endif %}"),
        ("<img src='{{ l.image_url }}' alt='{{ l.name }}'>x", "x"),
        ("<p style='display:none'>hidden</p>shown", "shown"),
    ],
)  # fmt: skip
def test_plain_text_of_a_body(body: str, expected: str) -> None:
    assert plain_text(body) == expected


def test_sections_in_mjml_go_into_the_same_frame() -> None:
    result = compile_sections(
        subject="s",
        preheader="p",
        sections="<mj-section><mj-column>{% for l in x %}<mj-text>{{ l }}</mj-text>"
        '<mj-button href="{{ cart.url }}">Go</mj-button>{% endfor %}</mj-column></mj-section>',
        text="t {{ x }}",
        brand=BRAND,
        marketing=True,
    )
    assert 'href="{{ cart.url }}"' in result.html
    assert result.html.index("{% for l in x %}") < result.html.index("{{ l }}")
    assert result.html.index("{{ l }}") < result.html.index("{% endfor %}")
    assert result.text.startswith("t {{ x }}\n\n-- \n")
    assert "{{ links.unsubscribe }}" in result.html


@pytest.mark.parametrize(
    ("colour", "ink", "light"),
    [
        ("#000000", "#ffffff", "#999999"),
        ("#ffffff", "#000000", "#ffffff"),
        ("#2b5fd9", "#ffffff", "#aabff0"),
        ("#ffd700", "#000000", "#ffef99"),
        ("#1d5c4d", "#ffffff", "#a5beb8"),
    ],
)
def test_words_on_the_brands_colour_can_be_read(colour: str, ink: str, light: str) -> None:
    brand = Brand(name="x", colour=colour)
    assert (brand.ink, brand.light) == (ink, light)


@pytest.mark.parametrize(
    "more",
    [
        {"colour": "red"},
        {"colour": "#fff;}"},
        {"logo_url": "javascript:x"},
        {"url": "shop.example"},
    ],
)
def test_brand_with_an_unusable_value_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="brand's"):
        Brand(name="x", **more)
