"""Who somebody is, as a caller says it, and how identities are compared."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache
from typing import Any, Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import cached_property
from django.utils.translation import get_supported_language_variant

from ..exceptions import InvalidEvent

#: In the order of trust: whoever is named by an earlier one is not found by a later one.
KINDS = ("user_id", "external_id", "email", "phone", "cookie_id")


def normalise(kind: str, value: object) -> str:
    """An identity's value as it is stored and compared.

    E-mail: NFC, trimmed, lower case, domain in ASCII (RFC 5890). The local part is folded too,
    although RFC 5321 allows it to differ: no provider of today makes that difference.
    Phone: digits with a leading plus, as given; anything else: trimmed.
    """
    text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = text.strip()
    if kind == "email":
        local, at, domain = text.rpartition("@")
        if not domain.isascii():
            with suppress(UnicodeError):  # no domain: `Who` refuses the address in its own words
                domain = domain.encode("idna").decode("ascii")
        return f"{local}{at}{domain}".lower()
    if kind == "phone":
        return re.sub(r"[\s().\-/]", "", text)
    return text


@dataclass(frozen=True, kw_only=True)
class Who:
    """A person, as far as the caller knows.

    Attributes:
        user_id: The shop's own id of a signed-in or registered customer.
        email, phone: Where the person may be reached; given in the checkout or a form.
        cookie_id: A first-party id of the browser.
        external_id: An id of another system (CRM, point of sale).
        first_name, last_name, language (BCP 47), time_zone (IANA), birthday: facts, if known.
        signed_in: The person was signed in when it happened. Only then is the guest behind
            `cookie_id` taken for the same person.
        email_verified: The shop has proof that the address is theirs. Only then is a guest with
            an equal address taken for the same person; an equal address alone proves nothing.
        facts: Further declared facts, plain values by name.
    """

    user_id: str | int | None = None
    email: str = ""
    phone: str = ""
    cookie_id: str = ""
    external_id: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    time_zone: str = ""
    birthday: date | None = None
    signed_in: bool = False
    email_verified: bool = False
    facts: dict[str, Any] | None = None

    @classmethod
    def of_user(cls, user: Any, **more: Any) -> Self:
        """Describe a user of the host: its id, address and names.

        Args:
            user: Any user object; an anonymous one gives an empty description.
            more: Further fields, which win over what the user says.
        """
        if user is None or not getattr(user, "is_authenticated", False):
            return cls(**more)
        known: dict[str, Any] = {
            "user_id": user.pk,
            "email": getattr(user, "email", "") or "",
            "first_name": getattr(user, "first_name", "") or "",
            "last_name": getattr(user, "last_name", "") or "",
        }
        return cls(**(known | more))

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Take a Who, a user, a mapping of its fields, or an address.

        Raises:
            InvalidEvent: The value is none of these, or names nobody.
        """
        if isinstance(value, cls):
            who = value
        elif isinstance(value, str):
            who = cls(email=value)
        elif isinstance(value, dict):
            unknown = set(value) - {field.name for field in fields(cls)}
            if unknown:
                raise InvalidEvent(
                    f"contact has unknown fields: {', '.join(sorted(unknown))}. "
                    "See wagtail_triggers.api.Who for the ones it may have."
                )
            who = cls(**value)
        elif hasattr(value, "is_authenticated"):
            who = cls.of_user(value)
        else:
            raise InvalidEvent(
                f"contact must be a Who, a user, a mapping or an address, not "
                f"{type(value).__name__}. Write contact=Who(user_id=user.pk, email=user.email)."
            )
        if not who.identities:
            raise InvalidEvent(
                "contact names nobody: give at least one of user_id, email, phone, cookie_id or "
                "external_id. For an anonymous visitor pass the browser's cookie_id."
            )
        return who.checked()

    @cached_property
    def identities(self) -> dict[str, str]:
        """The identities that are known, normalised, in the order of trust."""
        return {
            kind: normalise(kind, value)
            for kind in KINDS
            if (value := getattr(self, kind)) not in (None, "")
        }

    def checked(self) -> Self:
        """This description, with fields that cannot be true emptied or refused.

        Raises:
            InvalidEvent: An address or an id cannot be one.
        """
        for kind, value in self.identities.items():
            if len(value) > 320 or "\x00" in value:
                raise InvalidEvent(f"{kind} is longer than 320 characters or holds a NUL.")
        if self.email:
            try:
                validate_email(self.identities["email"])
            except ValidationError:
                raise InvalidEvent(
                    f"{self.email!r} is no e-mail address. Leave email empty where none is known."
                ) from None
        zone = self.time_zone if self.time_zone and self.time_zone in _zones() else ""
        language = _language(self.language)
        names = (self.first_name[:150], self.last_name[:150])
        if (zone, language, *names) == (
            self.time_zone, self.language, self.first_name, self.last_name
        ):  # fmt: skip
            return self
        return replace(
            self, time_zone=zone, language=language, first_name=names[0], last_name=names[1]
        )

    def as_json(self) -> dict[str, Any]:
        """What an Event row keeps of this: plain values, nothing empty."""
        kept: dict[str, Any] = dict(self.identities)
        for name in ("first_name", "last_name", "language", "time_zone"):
            if value := getattr(self, name):
                kept[name] = value
        if self.birthday:
            kept["birthday"] = self.birthday.isoformat()
        for name in ("signed_in", "email_verified"):
            if getattr(self, name):
                kept[name] = True
        if self.facts:
            kept["facts"] = self.facts
        return kept


@cache
def _zones() -> frozenset[str]:
    # It reads a folder of 600 files, which took 30 times as long as all else in `track()`.
    return frozenset(available_timezones())


def _language(code: str) -> str:
    if not code:
        return ""
    try:
        return get_supported_language_variant(code)
    except LookupError:
        return code[:35] if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", code) else ""
