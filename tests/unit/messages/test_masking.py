"""Liquid survives HTML parsers, or the template is refused."""

from __future__ import annotations

import css_inline
import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_triggers.messages.masking import MaskBroken, Masker, part_braces
from wagtail_triggers.messages.tokens import SourceProblem, scan

LOOP = (
    "<table><tbody>{% for l in cart.lines %}<tr><td>{{ l.name }}</td></tr>{% endfor %}"
    "</tbody></table>"
)


def test_mask_hides_every_token_and_unmask_brings_it_back() -> None:
    masker = Masker()
    masked = masker.mask_html(LOOP)
    assert "{" not in masked
    assert masker.unmask(masked) == LOOP


def test_masked_loop_stays_around_its_table_row_through_two_parsers() -> None:
    masker = Masker()
    cleaned = nh3.clean(masker.mask_html(LOOP), strip_comments=False)
    inlined = css_inline.inline_fragment(cleaned, "td{color:red}")
    out = masker.unmask(inlined)
    assert out.index("{% for") < out.index("<tr>") < out.index("{{ l.name }}")
    assert out.index("</tr>") < out.index("{% endfor %}") < out.index("</tbody>")


def test_unmasked_loop_would_be_moved_out_of_its_table() -> None:
    out = nh3.clean(LOOP)
    assert out.index("{% endfor %}") < out.index("<table>")


def test_comparison_in_a_condition_is_not_escaped() -> None:
    source = '<p>{% if a > 1 and b < 2 and c != "x & y" %}x{% endif %}</p>'
    masker = Masker()
    assert masker.unmask(nh3.clean(masker.mask_html(source), strip_comments=False)) == source


def test_token_in_a_quoted_attribute_is_kept() -> None:
    source = '<a href="{{ cart.url }}?a={{ b }}" title="{% if x > 1 %}one{% endif %}">x</a>'
    masker = Masker()
    masked = masker.mask_html(source)
    assert "<!--" not in masked
    assert masker.unmask(masked) == source


def test_comments_and_the_tokens_in_them_are_dropped() -> None:
    masker = Masker()
    masked = masker.mask_html("a<!-- {% if x %} <b> --><!--[if mso]>{{ y }}<![endif]-->{{ z }}")
    assert masker.unmask(masked) == "a{{ z }}"


@pytest.mark.parametrize(
    "broken",
    [
        lambda masked: masked.replace("wtLQ1QL", "", 1),
        lambda masked: masked + "<!--wtLQ0QL-->",
        lambda masked: (
            masked.replace("wtLQ0QL", "wtLQxQL")
            .replace("wtLQ2QL", "wtLQ0QL")
            .replace("wtLQxQL", "wtLQ2QL")
        ),
        lambda masked: "",
        lambda masked: masked.replace("wtLQ2QL", "wtLQ7QL"),
    ],
    ids=["lost", "doubled", "swapped", "empty", "unknown"],
)
def test_unmask_after_order_or_count_changed_is_refused(broken: object) -> None:
    assert callable(broken)
    masker = Masker()
    masked = masker.mask_html(LOOP)
    with pytest.raises(MaskBroken, match="stands where HTML does not allow it"):
        masker.unmask(broken(masked))


def test_refusal_names_the_token_at_fault() -> None:
    masker = Masker()
    masked = masker.mask_html(LOOP)
    with pytest.raises(MaskBroken, match=r"“{{ l\.name }}”"):
        masker.unmask(masked.replace("<!--wtLQ1QL-->", ""))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<p {{ x }}>a</p>", "without quotes"),
        ("<a href={{ x }}>a</a>", "without quotes"),
        ("<p {% if x %}class='a'{% endif %}>a</p>", "without quotes"),
        ("<{{ x }}>", None),
        ('<p style="color: {{ x }}">a</p>', "stands in a style"),
        ("<p STYLE = '{{ x }}'>a</p>", "stands in a style"),
        ('<p title="{% capture x %}y{% endcapture %}">a</p>', "Move it before the element"),
    ],
)
def test_token_where_none_can_stand_is_refused_with_the_fix(
    source: str, message: str | None
) -> None:
    masker = Masker()
    if message is None:
        assert masker.unmask(masker.mask_html(source)) == source
        return
    with pytest.raises(SourceProblem, match=message):
        masker.mask_html(source)


def test_forged_mask_in_a_source_is_removed() -> None:
    masker = Masker()
    masked = masker.mask_html("<!--wtLQ0QL-->wtLQ0QL{{ x }}")
    assert masker.unmask(masked) == "{{ x }}"


def test_text_that_only_looks_like_liquid_does_not_become_it() -> None:
    assert part_braces("{{ x }} {% y %} {z}") == "&#123;{ x }} &#123;% y %} {z}"


@given(st.text(alphabet="ab<>/\"'=-! {}%|\n", max_size=60))
def test_scan_of_any_text_gives_the_text_back_or_refuses_it(source: str) -> None:
    try:
        tokens = list(scan(source))
    except SourceProblem:
        return
    assert "".join(token.text for token in tokens) == source
