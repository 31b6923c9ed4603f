"""The logins of the demonstration."""

from __future__ import annotations

from django.contrib.auth.models import User

from ...logins import CUSTOMER, STAFF


def set_up() -> None:
    """Make the logins that are missing."""
    for login in (STAFF, CUSTOMER):
        if User.objects.filter(username=login.email).exists():
            continue
        user = User(
            username=login.email,
            email=login.email,
            first_name=login.first_name,
            is_staff=login.staff,
            is_superuser=login.staff,
        )
        user.set_password(login.password)
        user.save()
