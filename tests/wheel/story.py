"""Run inside the bare project: a template and a journey are published, then an order is placed."""

from __future__ import annotations

import os

import django


def publish() -> None:
    """Publish a thank-you mail and the journey that sends it."""
    from wagtail.models import Locale, Site

    from wagtail_triggers.journeys.models import Journey
    from wagtail_triggers.messages.models import MessageClass, Template

    site = Site.objects.get(is_default_site=True)
    template = Template.objects.create(
        site=site,
        locale=Locale.get_default(),
        name="Thank you",
        message_class=MessageClass.TRANSACTIONAL,
        event="order_placed",
        subject="Thank you, {{ contact.first_name }}",
        body=[
            ("text", "<p>You ordered:</p>"),
            ("html", "{% for line in event.lines %}<p>{{ line.name }}</p>{% endfor %}"),
        ],
    )
    template.save_revision().publish()
    graph = {
        "nodes": [
            {"id": "start", "kind": "entry", "settings": {"event": "order_placed"}},
            {"id": "mail", "kind": "send", "settings": {"template": str(template.translation_key)}},
            {"id": "end", "kind": "end", "settings": {}},
        ],
        "edges": [
            {"source": "start", "port": "next", "target": "mail"},
            {"source": "mail", "port": "next", "target": "end"},
        ],
    }
    journey = Journey.objects.create(site=site, name="Thank you", graph=graph)
    journey.save_revision().publish()


def order() -> None:
    """Place an order, and tell of it twice, as a shop does whose signal fires twice."""
    from wagtail_triggers.api import Who, track

    price = {"amount": "12.50", "currency": "EUR"}
    line = {"sku": "T1", "name": "Green tea", "quantity": 1, "unit_price": price}
    for _ in range(2):
        track(
            "order_placed",
            contact=Who(user_id=1, email="anna@buyer.example", first_name="Anna", signed_in=True),
            key="77",
            payload={"order_id": "77", "lines": [line], "total": price},
            dedupe_key="order:77:placed",
        )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bare.settings.dev")
    django.setup()
    publish()
    order()
