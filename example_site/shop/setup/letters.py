"""What the shop writes: message templates, built of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wagtail.images import get_image_model
from wagtail.models import Locale

from wagtail_triggers.consent.models import Topic
from wagtail_triggers.messages.models import MessageClass, Template, TriggersSettings

from .catalogue import HERO

Block = tuple[str, Any]


class Letter(NamedTuple):
    """One template; a letter with a topic is marketing."""

    name: str
    event: str
    topic: str
    subject: str
    preheader: str
    body: Sequence[Block]


GREETING = (
    "{% if contact.first_name != blank %}Dear {{ contact.first_name }},{% else %}Hello,{% endif %}"
)


def heading(words: str) -> Block:
    return ("heading", {"text": words, "size": "h1", "align": "left"})


def text(*paragraphs: str) -> Block:
    return ("text", "".join(f"<p>{one}</p>" for one in paragraphs))


def button(words: str, url: str) -> Block:
    return ("button", {"text": words, "url": url, "style": "filled", "align": "left"})


def cart(words: str) -> Block:
    return ("cart", {"pictures": True, "total": True, "button": words, "fallback": ""})


def voucher(code: str) -> Block:
    return (
        "coupon",
        {
            "code": code,
            "worth": "Ten per cent off what is in your cart",
            "terms": False,
            "button": "Use the voucher",
            "url": "{{ cart.url }}",
            "fallback": "",
        },
    )


def section_title(words: str) -> Block:
    return ("heading", {"text": words, "size": "h3", "align": "left"})


def favourites(limit: int) -> Block:
    return (
        "recommendations",
        {
            "recommender": "popular",
            "columns": "2",
            "limit": limit,
            "price": True,
            "button": "",
            "fallback": "The kettle is on, and the shelves are full.",
        },
    )


#: Stands for the picture of the home page, which the library holds once the shop is set up.
THE_COUNTER: Block = ("image", {"alt": "A teapot on the table by the window", "url": "/"})

WELCOME = Letter(
    "Welcome",
    "user_registered",
    "",
    "Welcome aboard{% if contact.first_name != blank %}, {{ contact.first_name }}{% endif %}",
    "Your account is made, and the kettle is on.",
    (
        THE_COUNTER,
        heading("Welcome aboard{% if contact.first_name %}, {{ contact.first_name }}{% endif %}"),
        text(
            "Your account at {{ site.name }} is made. Nothing else to do: the next checkout is "
            "shorter, and your orders are all in one place.",
            "Should you ever stand in Ballyquay with wet shoes: we are in Ferry Row, number 7, "
            "beside the slipway. There is always a pot on, and the second cup is on the house.",
        ),
        button("To your account", "/account/"),
        ("divider", None),
        section_title("What others carry home"),
        favourites(4),
        text("Maeve, Tomás, Ines and Fionn"),
    ),
)

CART_FIRST = Letter(
    "Cart, after an hour",
    "cart_abandoned",
    "cart-reminders",
    "Your {{ cart.lines.first.name | default: 'cart' }} is still on the counter",
    "We have kept it to one side for you.",
    (
        heading("Still on the counter"),
        text(
            GREETING,
            "somebody rang at the door just then, perhaps. What you had picked is still on the "
            "counter, where you left it.",
        ),
        cart("Back to the cart"),
        ("spacer", "small"),
        text("A question about a pot or a leaf? Answer this letter; one of us will read it."),
    ),
)

CART_SECOND = Letter(
    "Cart, after a day",
    "cart_abandoned",
    "cart-reminders",
    "Ten per cent, and we put the kettle on",
    "A voucher for what is still in your cart.",
    (
        heading("Let us meet half-way up the slipway"),
        text(
            GREETING,
            "a day has gone by, and your cart is as you left it. With this voucher it costs ten "
            "per cent less. Write it into the field below your cart; nothing else to it.",
        ),
        voucher("WARMCUP10"),
        cart(""),
    ),
)

CART_THIRD = Letter(
    "Cart, after three days",
    "cart_abandoned",
    "cart-reminders",
    "Shall we put it back on the shelf?",
    "The last we say about this cart.",
    (
        heading("Shall we put it back?"),
        text(
            GREETING,
            "three days on, we need the counter again. If you would still like these, this is the "
            "moment; your voucher WARMCUP10 holds. If not, no harm done, and we shall not write "
            "about this cart again.",
        ),
        cart("One last look"),
        ("divider", None),
        section_title("Or something else?"),
        favourites(2),
    ),
)

THANKS = Letter(
    "Thank you for your order",
    "order_placed",
    "",
    "Thank you{% if contact.first_name != blank %}, {{ contact.first_name }}{% endif %}: "
    "order {{ order.number }}",
    "We have it, and the string is already cut.",
    (
        heading("Thank you{% if contact.first_name %}, {{ contact.first_name }}{% endif %}"),
        text(
            "Your order <b>{{ order.number }}</b> is with us, and Fionn is looking for a box that "
            "fits. You will hear from us again when it is in the post. Until then: warm the pot "
            "first."
        ),
        (
            "order",
            {
                "number": False,
                "pictures": True,
                "sums": True,
                "address": True,
                "button": "See your order",
                "fallback": "",
            },
        ),
        (
            "condition",
            {
                "variable": "contact.orders_count",
                "operator": "above",
                "value": "1",
                "then": [text("It is good to have you back.")],
                "otherwise": [
                    text(
                        "It is your first order with us: a little bag of our breakfast tea is in "
                        "the box, on the house."
                    )
                ],
            },
        ),
        ("spacer", "small"),
        text("Maeve, Tomás, Ines and Fionn"),
    ),
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
    look.page_colour = "#f3efe6"
    look.text_colour = "#2a2723"
    look.font = "georgia"
    look.corner_radius = 6
    look.footer_text = "A teashop by the harbour. We answer every letter."
    look.social_links = [
        ("link", {"network": "instagram", "url": "https://www.instagram.com/", "label": ""}),
        ("link", {"network": "mastodon", "url": "https://mastodon.social/", "label": ""}),
    ]
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
            body=[_with_picture(block) for block in letter.body],
            locale=Locale.get_default(),
            live=False,
        )
        template.full_clean()
        template.save()
        template.save_revision().publish()
    return str(template.translation_key)


def _with_picture(block: Block) -> Block:
    """The block, with the picture of the home page where it wants one."""
    kind, value = block
    if kind != "image" or not isinstance(value, Mapping):
        return block
    picture = get_image_model().objects.filter(title=HERO).first()
    more = {"image": picture, "width": "full", "align": "center", "square": False}
    return kind, {**value, **more}
