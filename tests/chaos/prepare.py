"""`python -m tests.chaos.prepare PREFIX COUNT`: so many orders, each of which must become a letter.

Migrates an empty database first.
"""

from __future__ import annotations

import os
import sys


def main(prefix: str, count: int) -> None:
    """Prepare one run."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from django.test import override_settings

    from tests.shop import journey, line, order, template
    from wagtail_triggers.api import Who
    from wagtail_triggers.journeys.models import Journey

    call_command("migrate", verbosity=0)
    if not Journey.objects.exists():
        journey("Thanks", [
            {"kind": "entry", "event": "order_placed"},
            {"kind": "send", "template": template("Thank you, {{ contact.first_name }}")},
        ])  # fmt: skip
    with override_settings(WAGTAIL_TRIGGERS_NUDGE="off"), transaction.atomic():
        for number in range(count):
            name = f"{prefix}{number}"
            who = Who(user_id=name, email=f"{name}@example.com", first_name=name)
            order(name, line(), who=who, dedupe_key=name)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"
    main(sys.argv[1], int(sys.argv[2]))
