"""Who is who: every rule of `contacts.identify`, each with what must not happen."""

from __future__ import annotations

from datetime import date

import pytest

from tests.shop import cart, line
from wagtail_triggers.api import Who, identify, track
from wagtail_triggers.contacts.models import Contact, Identity
from wagtail_triggers.core.clock import FrozenClock
from wagtail_triggers.engine.router import route_batch
from wagtail_triggers.events.models import Cart, Event

pytestmark = pytest.mark.django_db

SEEN = {"url": "https://shop.example/"}


@pytest.fixture(autouse=True)
def _still(clock: FrozenClock) -> None:
    """Every test on the clock that stands still."""


def happens(*people: Who, together: bool = False) -> list[int]:
    """One page view each, routed one after the other or in one batch; their contacts."""
    names = []
    for number, who in enumerate(people):
        names.append(f"{Event.objects.count()}-{number}")
        track("page_viewed", contact=who, payload=SEEN, dedupe_key=names[-1])
        if not together:
            route_batch()
    route_batch()
    found = Event.objects.filter(dedupe_key__in=names).in_bulk(field_name="pk").values()
    by_name = {event.dedupe_key: event for event in found}
    for event in by_name.values():
        assert event.routed_at is not None
        assert event.contact_id is not None
    return [by_name[name].contact_id or 0 for name in names]


def person(contact_id: int) -> Contact:
    """The contact, followed to whom it was merged into."""
    row = Contact.objects.get(pk=contact_id)
    return row.merged_into or row


@pytest.mark.parametrize("together", [False, True])
def test_user_id_names_one_person_whatever_else_differs(together: bool) -> None:
    first, second = happens(
        Who(user_id=7, email="a@example.com", cookie_id="c-1"),
        Who(user_id=7, email="b@example.com", cookie_id="c-2"),
        together=together,
    )
    assert first == second
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("together", [False, True])
def test_external_id_names_one_person(together: bool) -> None:
    first, second, other = happens(
        Who(external_id="crm-1"), Who(external_id="crm-1"), Who(external_id="crm-2"),
        together=together,
    )  # fmt: skip
    assert first == second
    assert other != first


def test_user_id_and_external_id_once_named_together_name_the_same_person() -> None:
    contacts = happens(
        Who(user_id=7, external_id="crm-1"), Who(external_id="crm-1"), Who(user_id=7)
    )
    assert len(set(contacts)) == 1


@pytest.mark.parametrize("together", [False, True])
def test_guest_is_known_by_the_cookie(together: bool) -> None:
    first, second, other = happens(
        Who(cookie_id="c-1"),
        Who(cookie_id="c-1", email="grace@example.com"),
        Who(cookie_id="c-2"),
        together=together,
    )
    assert first == second
    assert other != first
    assert Contact.objects.get(pk=first).email == "grace@example.com"


def test_guest_without_cookie_is_known_by_the_address() -> None:
    first, again, shouted, other = happens(
        Who(email="grace@example.com"),
        Who(email="grace@example.com"),
        Who(email=" GRACE@Example.COM "),
        Who(email="other@example.com"),
    )
    assert first == again == shouted
    assert other != first


def test_guest_order_by_address_belongs_to_the_guest_with_the_cart() -> None:
    shopping, ordering = happens(
        Who(cookie_id="c-1", email="grace@example.com"), Who(email="grace@example.com")
    )
    assert shopping == ordering


@pytest.mark.parametrize("together", [False, True])
def test_equal_address_alone_never_makes_a_guest_the_customer(together: bool) -> None:
    customer, stranger = happens(
        Who(user_id=7, email="ada@example.com", cookie_id="c-1", signed_in=True),
        Who(cookie_id="c-9", email="ada@example.com"),
        together=together,
    )
    assert stranger != customer
    assert person(stranger).pk == stranger


@pytest.mark.parametrize("together", [False, True])
def test_signed_in_customer_with_a_guests_address_does_not_become_the_guest(
    together: bool,
) -> None:
    guest, customer = happens(
        Who(cookie_id="c-1", email="ada@example.com"),
        Who(user_id=7, email="ada@example.com", cookie_id="c-2", signed_in=True),
        together=together,
    )
    assert customer != guest
    assert person(guest).pk == guest


@pytest.mark.parametrize("together", [False, True])
def test_second_browser_with_the_same_address_is_a_second_guest(together: bool) -> None:
    """Whoever types your address and then signs in must not take over what you did."""
    victim, thief = happens(
        Who(cookie_id="c-victim", email="grace@example.com"),
        Who(cookie_id="c-thief", email="grace@example.com"),
        together=together,
    )
    assert thief != victim
    happens(Who(user_id=666, cookie_id="c-thief", signed_in=True))
    assert person(victim).pk == victim
    assert Identity.objects.get(kind="cookie_id", value="c-victim").contact_id == victim


@pytest.mark.parametrize("together", [False, True])
def test_address_typed_before_its_owner_comes_takes_nothing_over(together: bool) -> None:
    thief, victim = happens(
        Who(cookie_id="c-thief", email="grace@example.com"),
        Who(cookie_id="c-victim", email="grace@example.com"),
        together=together,
    )
    happens(Who(user_id=666, cookie_id="c-thief", signed_in=True))
    assert victim != thief
    assert person(victim).pk == victim


def test_signed_in_event_with_the_guests_cookie_makes_the_guest_a_known_customer() -> None:
    (customer,) = happens(Who(user_id=7, email="ada@example.com"))
    cart("12", line(), who=Who(cookie_id="c-1"))
    (guest,) = happens(Who(cookie_id="c-1", first_name="Ada"))
    assert guest != customer
    (signed_in,) = happens(Who(user_id=7, cookie_id="c-1", signed_in=True))
    assert signed_in == customer
    assert person(guest).pk == customer
    assert Contact.objects.get(pk=customer).first_name == "Ada"
    assert Cart.objects.get(cart_id="12").contact_id == customer
    assert not Event.objects.filter(contact_id=guest).exists()


def test_signed_in_event_names_a_guest_who_was_no_customer_yet() -> None:
    guest, customer = happens(Who(cookie_id="c-1"), Who(user_id=7, cookie_id="c-1", signed_in=True))
    assert customer == guest
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("known", [False, True])
def test_guest_and_sign_in_in_one_batch_are_one_person(known: bool) -> None:
    if known:
        happens(Who(user_id=7))
    guest, customer, later = happens(
        Who(cookie_id="c-1"),
        Who(user_id=7, cookie_id="c-1", signed_in=True),
        Who(cookie_id="c-1"),
        together=True,
    )
    assert guest == customer == later
    assert Contact.objects.count() == 1


def test_cookie_without_signing_in_proves_nothing() -> None:
    guest, customer = happens(Who(cookie_id="c-1"), Who(user_id=7, cookie_id="c-1"))
    assert customer != guest
    assert person(guest).pk == guest


@pytest.mark.parametrize("proof", [False, True])
def test_guest_with_the_address_is_the_customer_only_if_the_shop_verified_it(proof: bool) -> None:
    (customer,) = happens(Who(user_id=7))
    (guest,) = happens(Who(cookie_id="c-1", email="ada@example.com"))
    happens(Who(user_id=7, email="ada@example.com", email_verified=proof))
    assert person(guest).pk == (customer if proof else guest)


def test_shared_computer_cookie_follows_whoever_signed_in_last_and_joins_nobody() -> None:
    ada, bob, unknown = happens(
        Who(user_id=1, email="ada@example.com", cookie_id="c-1", signed_in=True),
        Who(user_id=2, email="bob@example.com", cookie_id="c-1", signed_in=True),
        Who(cookie_id="c-1"),
    )
    assert ada != bob
    assert unknown == bob
    assert Contact.objects.get(pk=ada).email == "ada@example.com"
    assert Contact.objects.filter(merged_into__isnull=False).count() == 0
    (back,) = happens(Who(user_id=1, cookie_id="c-1", signed_in=True))
    assert back == ada


@pytest.mark.parametrize("together", [False, True])
def test_shared_computer_guest_who_gives_an_address_is_not_the_customer(together: bool) -> None:
    ada, visitor, again = happens(
        Who(user_id=1, cookie_id="c-1", signed_in=True),
        Who(cookie_id="c-1", email="visitor@example.com"),
        Who(cookie_id="c-1", email="visitor@example.com"),
        together=together,
    )
    assert visitor != ada
    assert again == visitor
    assert Contact.objects.get(pk=ada).email == ""


def test_customer_signed_out_with_their_own_verified_address_is_still_the_customer() -> None:
    customer, signed_out = happens(
        Who(user_id=1, cookie_id="c-1", signed_in=True,
            email="ada@example.com", email_verified=True),
        Who(cookie_id="c-1", email="ada@example.com"),
    )  # fmt: skip
    assert signed_out == customer


def test_two_sites_know_nothing_of_each_others_people() -> None:
    from wagtail.models import Page, Site

    root = Page.objects.get(depth=1).get_children().get()
    other = Site.objects.create(hostname="b.example", root_page=root)
    track("page_viewed", contact=Who(user_id=7), payload=SEEN)
    track("page_viewed", contact=Who(user_id=7), payload=SEEN, site=other)
    route_batch()
    assert sorted(Contact.objects.values_list("site_id", flat=True)) == sorted(
        Site.objects.values_list("pk", flat=True)
    )


def test_identify_records_facts_and_an_older_event_never_overwrites_a_newer_one(
    clock: FrozenClock,
) -> None:
    now = clock.read()
    identify(Who(user_id=7, first_name="Ada", birthday=date(1990, 2, 28), language="de"))
    track(
        "user_updated", contact=Who(user_id=7, first_name="Adah", last_name="L."),
        occurred_at=now.replace(year=2020),
    )  # fmt: skip
    route_batch()
    contact = Contact.objects.get()
    assert (contact.first_name, contact.last_name) == ("Ada", "L.")
    assert (contact.birthday, contact.language) == (date(1990, 2, 28), "de")
    assert contact.last_seen_at == now


def test_event_that_names_nobody_who_can_be_found_is_routed_and_makes_no_contact() -> None:
    track("price_dropped", contact=None, payload={"sku": "tea"})
    route_batch()
    assert Contact.objects.count() == 0
    assert Event.objects.get().routed_at is not None
