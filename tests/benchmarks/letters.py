"""The letter of both sides: ours as an editor writes it, the baseline's made from the same one.

The baseline renders with Django's own templates, by its cached loader, the very HTML and text that
ours renders with Liquid: the same markup, the same loop, the same values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.shop import journey, template
from wagtail_triggers.messages.models import TemplateVersion

SUBJECT: Final = "Thank you for order {{ order.number }}, {{ contact.first_name }}"
BODY: Final = """
<h1>Thank you, {{ contact.first_name }}!</h1>
<p>Your order {{ order.number }} is with us. We pack it by hand and write again as soon as it is on
its way; that takes two working days as a rule, and a day more before a holiday.</p>
<table><tbody>
{% for line in order.lines %}<tr><td>{{ line.quantity }} x {{ line.name }}</td>
<td>{{ line.unit_price | money }}</td></tr>
{% endfor %}</tbody></table>
<p>Together: <b>{{ order.total | money }}</b></p>
{% if order.number != "" %}<p><a href="https://shop.example/orders/{{ order.number }}">See your
order</a></p>{% endif %}
<p>Something is not as it should be? Answer this mail, {{ contact.first_name }}, and a person reads
it.</p>
"""

#: Liquid to Django's language: the same loops and conditions under the baseline's names.
_TRANSLATED: Final = (
    ("{% for line in order.lines %}", "{% for line in lines %}"),
    ("{{ line.unit_price | money }}", "€{{ line.unit_price|floatformat:2 }}"),
    ("{{ order.total | money }}", "€{{ order.total|floatformat:2 }}"),
    ("{{ contact.first_name }}", "{{ customer.first_name }}"),
)
_KNOWN: Final = re.compile(
    r"\{\{ (?:customer\.first_name|order\.number|line\.quantity|line\.name"
    r"|line\.unit_price\|floatformat:2|order\.total\|floatformat:2) \}\}"
    r"|\{% (?:for line in lines|endfor|if order\.number != \"\"|endif) %\}"
)


def publish_ours() -> None:
    """Publish the letter and the journey that sends it."""
    letter = template(SUBJECT, BODY)
    journey(
        "Thank you",
        [{"kind": "entry", "event": "order_placed"}, {"kind": "send", "template": letter}],
    )


def write_baseline(folder: Path) -> None:
    """Write the baseline's three templates, made from the published version of ours."""
    version = TemplateVersion.objects.get()
    for name, source in (
        ("letter.subject.txt", version.subject),
        ("letter.html", version.html),
        ("letter.txt", "{% autoescape off %}" + version.text + "{% endautoescape %}"),
    ):
        (folder / name).write_text(_translated(source), encoding="utf-8")


def _translated(source: str) -> str:
    for ours, theirs in _TRANSLATED:
        source = source.replace(ours, theirs)
    rest = _KNOWN.sub(
        "", source.replace("{% autoescape off %}", "").replace("{% endautoescape %}", "")
    )
    assert "{{" not in rest, rest
    assert "{%" not in rest, rest
    return source
