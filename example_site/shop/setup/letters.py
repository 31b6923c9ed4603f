"""What the shop writes: message templates, in Liquid."""

from __future__ import annotations

from typing import Any, NamedTuple

from wagtail.models import Locale

from wagtail_triggers.consent.models import Topic
from wagtail_triggers.messages.models import MessageClass, Template, TriggersSettings


class Letter(NamedTuple):
    """One template; a letter with a topic is marketing."""

    name: str
    event: str
    topic: str
    subject: str
    preheader: str
    body: str


GREETING = (
    "<p>{% if contact.first_name != blank %}Dear {{ contact.first_name }},"
    "{% else %}Hello,{% endif %}</p>"
)

#: The things in a cart or an order. `%s` is where they lie.
LINES = """
<table class="lines"><tbody>
{%% for line in %s.lines %%}
<tr>
<td width="80"><img src="{{ line.image_url }}" alt="" width="72" height="72"></td>
<td><a href="{{ line.url }}">{{ line.name }}</a>
{%% if line.quantity > 1 %%}&times; {{ line.quantity }}{%% endif %%}</td>
<td class="number">{{ line.unit_price | money }}</td>
</tr>
{%% endfor %%}
</tbody></table>
"""

WELCOME = Letter(
    "Welcome",
    "user_registered",
    "",
    "Welcome aboard{% if contact.first_name != blank %}, {{ contact.first_name }}{% endif %}",
    "Your account is made, and the kettle is on.",
    GREETING
    + """
<p class="lead">your account at {{ site.name }} is made. Nothing else to do: the next checkout
is shorter, and your orders are all in one place.</p>
<p>Should you ever stand in Ballyquay with wet shoes: we are in Ferry Row, number 7, beside the
slipway. There is always a pot on, and the second cup is on the house.</p>
<p><a class="button" href="{{ site.url }}/account/">To your account</a></p>
<p>Maeve, Tomás, Ines and Fionn</p>
""",
)

CART_FIRST = Letter(
    "Cart, after an hour",
    "cart_abandoned",
    "cart-reminders",
    "Your {{ cart.lines.first.name | default: 'cart' }} is still on the counter",
    "We have kept it to one side for you.",
    GREETING
    + """
<p class="lead">somebody rang at the door just then, perhaps. What you had picked is still on the
counter, where you left it.</p>
"""
    + LINES % "cart"
    + """
<p><a class="button" href="{{ cart.url }}">Back to the cart</a></p>
<p class="muted">A question about a pot or a leaf? Answer this letter; one of us will read it.</p>
""",
)

CART_SECOND = Letter(
    "Cart, after a day",
    "cart_abandoned",
    "cart-reminders",
    "Ten per cent, and we put the kettle on",
    "A voucher for what is still in your cart.",
    GREETING
    + """
<p class="lead">a day has gone by, and your cart is as you left it. Let us meet half-way up the
slipway: with this voucher it costs ten per cent less.</p>
<p class="lead"><strong>WARMCUP10</strong></p>
<p>Write it into the field below your cart. Nothing else to it.</p>
"""
    + LINES % "cart"
    + """
<p><a class="button" href="{{ cart.url }}">Use the voucher</a></p>
""",
)

CART_THIRD = Letter(
    "Cart, after three days",
    "cart_abandoned",
    "cart-reminders",
    "Shall we put it back on the shelf?",
    "The last we say about this cart.",
    GREETING
    + """
<p class="lead">three days on, we need the counter again. If you would still like these, this is
the moment; your voucher WARMCUP10 holds. If not, no harm done, and we shall not write about this
cart again.</p>
"""
    + LINES % "cart"
    + """
<p><a class="button" href="{{ cart.url }}">One last look</a></p>
""",
)

THANKS = Letter(
    "Thank you for your order",
    "order_placed",
    "",
    "Thank you{% if contact.first_name != blank %}, {{ contact.first_name }}{% endif %}: "
    "order {{ order.number }}",
    "We have it, and the string is already cut.",
    GREETING
    + """
<p class="lead">thank you. Your order <strong>{{ order.number }}</strong> is with us, and Fionn is
looking for a box that fits.</p>
"""
    + LINES % "order"
    + """
<p>In all, with the delivery: <strong>{{ order.total | money }}</strong></p>
<p><a class="button" href="{{ order.url }}">See your order</a></p>
<p>You will hear from us again when it is in the post. Until then: warm the pot first.</p>
<p>Maeve, Tomás, Ines and Fionn</p>
""",
)

LETTERS = (WELCOME, CART_FIRST, CART_SECOND, CART_THIRD, THANKS)

TOPICS = (
    ("news", "A letter from the harbour", Topic.Consent.OPT_IN),
    ("cart-reminders", "Reminders of a full cart", Topic.Consent.SOFT),
)


def set_up(site: Any) -> dict[str, str]:
    """Make and publish the letters that are missing.

    Returns:
        The translation key of each letter, by its name: that is what a journey holds.
    """
    look = TriggersSettings.for_site(site)
    look.colour = "#2b5a53"
    # More than the three of a real shop: whoever tries the demonstration lives through weeks in
    # minutes, and wants to see each letter.
    look.weekly_limit = 10
    look.save()
    topics = {}
    for slug, name, consent in TOPICS:
        defaults = {"name": name, "consent": consent}
        topics[slug], _ = Topic.objects.get_or_create(site=site, slug=slug, defaults=defaults)
    return {letter.name: _publish(site, letter, topics) for letter in LETTERS}


def _publish(site: Any, letter: Letter, topics: dict[str, Topic]) -> str:
    template = Template.objects.filter(site=site, name=letter.name).first()
    if template is None:
        template = Template(
            site=site,
            name=letter.name,
            event=letter.event,
            topic=topics.get(letter.topic),
            message_class=MessageClass.MARKETING if letter.topic else MessageClass.TRANSACTIONAL,
            subject=letter.subject,
            preheader=letter.preheader,
            body=[("html", letter.body.strip())],
            locale=Locale.get_default(),
            live=False,
        )
        template.full_clean()
        template.save()
        template.save_revision().publish()
    return str(template.translation_key)
