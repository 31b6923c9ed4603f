# ruff: noqa: E501 - prose is easier to write and to translate unbroken
"""The words of the home page and of the pages of text."""

from __future__ import annotations

HOME = {
    "heading": "Put the kettle on. The boat can wait.",
    "lead": "Loose tea, pots from the yard behind the shop, and something to eat with it. From a small harbour, by post.",
    "story": (
        "<p>Tern &amp; Kettle began as the ticket office of the island ferry. People waited, it rained,"
        " somebody made tea. The ferry has moved to the new pier; the kettle stayed. Today four of us"
        " pack tea, throw pots and argue about biscuits at the same counter.</p>"
    ),
}

TEXT_PAGES = (
    (
        "our-story",
        "Our story",
        "Four people, one counter, a view of the slipway.",
        "<p>Maeve throws the pots. Tomás buys the tea and can tell you which hillside it is from, at length."
        " Ines bakes, and Fionn does everything else, most of it string.</p>"
        "<p>We sell what we use. If something in the shop is not on our own table, it is because it was sold.</p>"
        "<h2>Where to find us</h2><p>7 Ferry Row, Ballyquay, beside the slipway. Tuesday to Saturday, ten to six;"
        " in winter until the light goes.</p>",
    ),
    (
        "delivery-and-returns",
        "Delivery and returns",
        "The post goes at four.",
        "<ul><li>Delivery is €4.90, and free from €49.</li>"
        "<li>What is ordered before three leaves the same day, Monday to Friday.</li>"
        "<li>Anything can come back within thirty days. Tea may be opened: how else would you know?</li>"
        "<li>Pots are packed by the person who threw them. Should one break on the way, write to us, and"
        " the next one is in the post.</li></ul>",
    ),
)
