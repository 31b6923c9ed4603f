"""The logins of the demonstration: invented people, in a shop that this computer alone reaches."""

from __future__ import annotations

from typing import NamedTuple


class Login(NamedTuple):
    """An account that is there from the start."""

    email: str
    first_name: str
    password: str
    staff: bool


STAFF = Login("staff@tern-and-kettle.example", "Maeve", "kettle-and-tern", staff=True)
CUSTOMER = Login("nora@example.org", "Nora", "a-cup-of-tea", staff=False)
