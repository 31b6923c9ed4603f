"""The letter of both sides: ours as an editor writes it, the baseline's made from the same one.

The baseline renders with Django's own templates, by its cached loader, the very HTML and text that
ours renders with Liquid: the same markup, the same loop, the same values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from wagtail.models import Site

from tests.shop import journey, template
from wagtail_triggers.consent.models import Topic
from wagtail_triggers.messages.models import MessageClass, TemplateVersion

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

NEWS: Final = """
<h1>New this week, {{ contact.first_name }}</h1>
<p>The first teas of the year are here. They were picked at the beginning of April, and came by
train; there is not much of them, and none after June.</p>
<table><tbody><tr><td>Long Jing, 50 g</td><td>€18.00</td></tr>
<tr><td>Shincha, 100 g</td><td>€24.00</td></tr><tr><td>Anji Bai Cha, 50 g</td><td>€21.00</td></tr>
</tbody></table>
<p><a href="https://shop.example/new">See what is new</a></p>
<p>You need not order today, {{ contact.first_name }}: answer this mail, and we keep some.</p>
"""

#: Liquid to Django's language: the same loops and conditions under the baseline's names.
_TRANSLATED: Final = (
    ("{% for line in order.lines %}", "{% for line in lines %}"),
    ("{{ line.unit_price | money }}", "€{{ line.unit_price|floatformat:2 }}"),
    ("{{ order.total | money }}", "€{{ order.total|floatformat:2 }}"),
    ("{{ contact.first_name }}", "{{ customer.first_name }}"),
)
_NEWS_TRANSLATED: Final = (
    ("{{ links.unsubscribe }}", "{{ unsubscribe }}"),
    ('{% if links.preferences and links.preferences != "" %}', "{% if preferences %}"),
    ("{{ links.preferences }}", "{{ preferences }}"),
)
_NEWS_KNOWN: Final = re.compile(
    r"\{\{ (?:contact\.first_name|unsubscribe|preferences) \}\}"
    r"|\{% (?:if preferences|endif) %\}"
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


def publish_news() -> TemplateVersion:
    """Publish the newsletter of the comparison in bulk."""
    news, _made = Topic.objects.get_or_create(
        site=Site.objects.get(is_default_site=True),
        slug="soft",
        defaults={"name": "Soft", "consent": Topic.Consent.SOFT},
    )
    key = template("News", NEWS, kind=MessageClass.MARKETING, topic=news)
    return TemplateVersion.objects.get(template__translation_key=key)


def write_news(folder: Path, version: TemplateVersion) -> None:
    """Write the baseline's two templates of the newsletter, made from ours."""
    for name, source in (
        ("news.html", version.html),
        ("news.txt", "{% autoescape off %}" + version.text + "{% endautoescape %}"),
    ):
        translated = _translated(source, _NEWS_TRANSLATED, _NEWS_KNOWN)
        (folder / name).write_text(translated, encoding="utf-8")


def write_baseline(folder: Path) -> None:
    """Write the baseline's three templates, made from the published version of ours."""
    version = TemplateVersion.objects.get(message_class=MessageClass.TRANSACTIONAL)
    for name, source in (
        ("letter.subject.txt", version.subject),
        ("letter.html", version.html),
        ("letter.txt", "{% autoescape off %}" + version.text + "{% endautoescape %}"),
    ):
        (folder / name).write_text(_translated(source), encoding="utf-8")


def _translated(
    source: str,
    table: Sequence[tuple[str, str]] = _TRANSLATED,
    known: re.Pattern[str] = _KNOWN,
) -> str:
    for ours, theirs in table:
        source = source.replace(ours, theirs)
    rest = known.sub(
        "", source.replace("{% autoescape off %}", "").replace("{% endautoescape %}", "")
    )
    assert "{{" not in rest, rest
    assert "{%" not in rest, rest
    return source
