"""Find or make the contact that each description names; in sets.

The rules, in one place:

- `user_id` and `external_id` name a person for certain.
- A guest is known by the browser's cookie, or by an address given in a checkout or a form. A
  second browser with the same address is a second guest: were they one, whoever signs in on the
  first would take over what was done on the other.
- A guest becomes a customer when a *signed-in* event carries the guest's cookie, or when the shop
  says that it has *verified* the address. An equal address alone proves nothing: anybody can type
  somebody else's (compare CVE-2026-44472).
- On a shared computer a cookie follows whoever signed in last; nobody's profile is joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .identities import KINDS
from .merge import merge
from .models import Contact, Identity

#: Kinds that name a person for certain.
_CERTAIN = ("user_id", "external_id")

IdentityKey = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Description:
    """What one event says of its person: `who` as `Who.as_json` wrote it."""

    ref: int
    site_id: int
    who: Mapping[str, Any]

    def named(self) -> list[IdentityKey]:
        """The identities named, in the order of trust."""
        return [(self.site_id, kind, str(self.who[kind])) for kind in KINDS if self.who.get(kind)]


@dataclass(slots=True)
class _Known:
    """What is known of the identities in a batch, kept up to date while it is worked through."""

    owners: dict[IdentityKey, int] = field(default_factory=dict)
    customers: dict[int, str] = field(default_factory=dict)
    new: dict[int, Contact] = field(default_factory=dict)
    claims: dict[IdentityKey, int] = field(default_factory=dict)
    moved: dict[IdentityKey, int] = field(default_factory=dict)
    #: New guests who turned out, later in the batch, to be somebody: placeholder to contact.
    became: dict[int, int] = field(default_factory=dict)

    def owner(self, key: IdentityKey) -> int | None:
        return self.owners.get(key)

    def is_guest(self, contact: int) -> bool:
        return contact not in self.customers

    def claim(self, key: IdentityKey, contact: int) -> None:
        if key not in self.owners:
            self.owners[key] = self.claims[key] = contact
        if key[1] in _CERTAIN:
            self.customers.setdefault(contact, key[2])

    def join(self, guest: int, contact: int) -> None:
        """A guest of this very batch is `contact`: there is nothing in the database to merge."""
        del self.new[guest]
        self.became = {
            **{one: contact if into == guest else into for one, into in self.became.items()},
            guest: contact,
        }
        for owners in (self.owners, self.claims):
            owners.update({key: contact for key, owner in owners.items() if owner == guest})


def resolve(descriptions: Sequence[Description], moment: datetime) -> dict[int, int]:
    """Find or make the contact of each description.

    Runs in the caller's transaction, which holds no contact lock; merges that a description calls
    for must have been made before (`merge_guests`).

    Returns:
        The contact's id by `Description.ref`; descriptions that name nobody are left out.
    """
    known = _load(descriptions)
    placeholders: dict[int, int] = {}
    for description in descriptions:
        if description.named():
            placeholders[description.ref] = _place(description, known, moment)
    real = _write(known, moment)
    owners = {ref: known.became.get(owner, owner) for ref, owner in placeholders.items()}
    return {ref: real.get(owner, owner) for ref, owner in owners.items()}


def merge_guests(descriptions: Sequence[Description], moment: datetime) -> int:
    """Make the merges that these descriptions prove, each in a transaction of its own.

    Returns:
        How many guests became customers.
    """
    provable = [
        item for item in descriptions if item.who.get("signed_in") or item.who.get("email_verified")
    ]
    if not provable:
        return 0
    known = _load(provable)
    pairs: dict[int, int] = {}
    for item in provable:
        customer = next(
            (owner for key in item.named() if key[1] in _CERTAIN and (owner := known.owner(key))),
            None,
        )
        if customer is None:
            continue
        for guest in _proven_guests(item, known):
            if guest != customer:
                pairs.setdefault(guest, customer)
    for guest, customer in sorted(pairs.items()):
        merge(guest, customer, moment=moment)
    return len(pairs)


def _proven_guests(item: Description, known: _Known) -> Iterable[int]:
    for kind, proof in (("cookie_id", "signed_in"), ("email", "email_verified")):
        value = item.who.get(kind)
        if value and item.who.get(proof):
            owner = known.owner((item.site_id, kind, str(value)))
            if owner is not None and known.is_guest(owner):
                yield owner


def _place(item: Description, known: _Known, moment: datetime) -> int:
    """The contact of one description (a negative placeholder while it is new)."""
    certain = [key for key in item.named() if key[1] in _CERTAIN]
    contact = next((owner for key in certain if (owner := known.owner(key)) is not None), None)
    if certain:
        if contact is None:
            # A guest who is proven to be this person is not merged but simply gets the name.
            contact = next(iter(_proven_guests(item, known)), None)
        if contact is None:
            contact = _new(item.site_id, known, moment)
        for key in certain:
            known.claim(key, contact)
        _claim_certain(item, known, contact)
        return contact
    return _place_guest(item, known, moment)


def _claim_certain(item: Description, known: _Known, contact: int) -> None:
    """Give a customer the identities that the same event proves."""
    for guest in list(_proven_guests(item, known)):
        if guest != contact and guest in known.new:
            known.join(guest, contact)
    cookie, email = item.who.get("cookie_id"), item.who.get("email")
    if cookie and item.who.get("signed_in"):
        key = (item.site_id, "cookie_id", str(cookie))
        owner = known.owner(key)
        if owner is not None and owner != contact:
            known.owners[key] = known.moved[key] = contact
        known.claim(key, contact)
    if email and item.who.get("email_verified"):
        known.claim((item.site_id, "email", str(email)), contact)


def _place_guest(item: Description, known: _Known, moment: datetime) -> int:
    keys = {key[1]: key for key in item.named()}
    reachable = [keys[kind] for kind in ("email", "phone") if kind in keys]
    contact = known.owner(keys["cookie_id"]) if "cookie_id" in keys else None
    owners = [owner for key in reachable if (owner := known.owner(key)) is not None]
    used_by_customer = contact is not None and not known.is_guest(contact)
    if reachable and ("cookie_id" not in keys or used_by_customer) and contact not in owners:
        # An address given by somebody who is not signed in: a guest of that address, whoever
        # used this browser before.
        contact = next((owner for owner in owners if known.is_guest(owner)), None)
    if contact is None:
        contact = _new(item.site_id, known, moment)
    for key in keys.values():
        known.claim(key, contact)
    return contact


def _new(site_id: int, known: _Known, moment: datetime) -> int:
    placeholder = -1 - len(known.new) - len(known.became)
    known.new[placeholder] = Contact(site_id=site_id, created_at=moment)
    return placeholder


def _load(descriptions: Sequence[Description]) -> _Known:
    wanted = {key for item in descriptions for key in item.named()}
    known = _Known()
    if not wanted:
        return known
    rows = Identity.objects.filter(
        site_id__in={key[0] for key in wanted}, value__in={key[2] for key in wanted}
    ).values_list("site_id", "kind", "value", "contact_id", "contact__merged_into_id")
    for site, kind, value, contact, merged_into in rows:
        if (site, kind, value) in wanted:
            known.owners[site, kind, value] = merged_into or contact
    known.customers = dict(
        Identity.objects.filter(
            contact_id__in=set(known.owners.values()), kind__in=_CERTAIN
        ).values_list("contact_id", "value")
    )
    return known


def _write(known: _Known, moment: datetime) -> dict[int, int]:
    """Insert what is new, in sorted order; where somebody was faster, theirs counts."""
    if known.new:
        contacts = list(known.new.values())
        Contact.objects.bulk_create(contacts)
    real = {placeholder: contact.pk for placeholder, contact in known.new.items()}
    for (site, kind, value), owner in sorted(known.moved.items()):
        Identity.objects.filter(site_id=site, kind=kind, value=value).update(
            contact_id=real.get(owner, owner)
        )
    if not known.claims:
        return real
    Identity.objects.bulk_create(
        [
            Identity(
                site_id=site,
                kind=kind,
                value=value,
                contact_id=real.get(owner, owner),
                created_at=moment,
            )
            for (site, kind, value), owner in sorted(known.claims.items())
        ],
        ignore_conflicts=True,
    )
    return _yield_to_the_faster(known, real)


def _yield_to_the_faster(known: _Known, real: dict[int, int]) -> dict[int, int]:
    """Point new contacts whose identity somebody else inserted first at that one's contact."""
    if not known.new:
        return real
    actual = _load_owners(known.claims)
    replaced: dict[int, int] = {}
    for key, owner in known.claims.items():
        mine, theirs = real.get(owner, owner), actual.get(key)
        if owner in known.new and theirs is not None and theirs != mine:
            replaced.setdefault(owner, theirs)
    for placeholder, theirs in replaced.items():
        loser = real[placeholder]
        Identity.objects.filter(contact_id=loser).update(contact_id=theirs)
        Contact.objects.filter(pk=loser).delete()
        real[placeholder] = theirs
    return real


def _load_owners(keys: Iterable[IdentityKey]) -> dict[IdentityKey, int]:
    wanted = set(keys)
    rows = Identity.objects.filter(
        site_id__in={key[0] for key in wanted}, value__in={key[2] for key in wanted}
    ).values_list("site_id", "kind", "value", "contact_id")
    return {(s, k, v): contact for s, k, v, contact in rows if (s, k, v) in wanted}
