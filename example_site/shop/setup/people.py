"""The logins of the demonstration."""

from __future__ import annotations

from django.contrib.auth.models import User

#: Invented people on a shop that listens to this computer alone.
STAFF = ("staff@tern-and-kettle.example", "Maeve", "kettle-and-tern")
CUSTOMER = ("nora@example.org", "Nora", "a-cup-of-tea")


def set_up() -> None:
    """Make the two logins that are missing."""
    for (email, first_name, password), staff in ((STAFF, True), (CUSTOMER, False)):
        if User.objects.filter(username=email).exists():
            continue
        user = User(
            username=email, email=email, first_name=first_name, is_staff=staff, is_superuser=staff
        )
        user.set_password(password)
        user.save()
