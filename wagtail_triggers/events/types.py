"""Event types: the words of the field, each with a typed, documented payload.

A host adds its own with `register_event`::

    @register_event("quiz_finished", label=_("Quiz finished"))
    class QuizFinished(Payload):
        score: int
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from ..core.registry import Registry


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(
            "A float cannot hold money exactly. Pass a Decimal or a string such as '12.50'."
        )
    return value


#: A decimal that travels as a string, so that no JSON reader turns it into a float.
Amount = Annotated[
    Decimal,
    # First, so that it is checked where the number is read, and not by Python afterwards.
    Field(allow_inf_nan=False, max_digits=14),
    BeforeValidator(_exact),
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
]
Text = Annotated[str, Field(max_length=2_000)]
#: Shops number their objects; both 77 and "77" are taken, "77" is kept.
Reference = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(max_length=128),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Money(_Part):
    """An amount of a currency."""

    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Line(_Part):
    """A line of a cart or an order."""

    sku: Reference
    name: Text
    quantity: Annotated[int, Field(ge=0)] = 1
    unit_price: Money | None = None
    url: Text = ""
    image_url: Text = ""
    category: Text = ""


class Payload(BaseModel):
    """What an event says, beside who and when. Fields that are not declared are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Nothing(Payload):
    """No data of its own."""


class CartPayload(Payload):
    """A cart as it stands after the change; no lines means that it was emptied."""

    cart_id: Reference
    checkout_id: Reference = ""
    lines: list[Line] = []
    total: Money | None = None
    url: Text = ""


class CheckoutPayload(Payload):
    """A checkout that was begun, or in which an address was given."""

    checkout_id: Reference = ""
    cart_id: Reference = ""
    lines: list[Line] = []
    total: Money | None = None
    url: Text = ""


class Address(_Part):
    """Where an order goes."""

    name: Text = ""
    line1: Text = ""
    line2: Text = ""
    postcode: Text = ""
    city: Text = ""
    region: Text = ""
    country: Text = ""


class OrderPayload(Payload):
    """An order as it stands."""

    order_id: Reference
    number: Reference = ""
    cart_id: Reference = ""
    checkout_id: Reference = ""
    lines: list[Line] = []
    subtotal: Money | None = None
    shipping: Money | None = None
    discount: Money | None = None
    tax: Money | None = None
    total: Money | None = None
    shipping_address: Address | None = None
    url: Text = ""


class ShipmentPayload(OrderPayload):
    """An order whose goods are on the way."""

    tracking_number: Text = ""
    tracking_url: Text = ""
    carrier: Text = ""
    expected_on: date | None = None


class RefundPayload(OrderPayload):
    """An order of which money went back."""

    refunded: Money | None = None


class TopicPayload(Payload):
    """What was subscribed to, or withdrawn from, and where."""

    topic: Text = "news"
    source: Text = ""


class PagePayload(Payload):
    """A page that was looked at."""

    url: Text
    title: Text = ""


class ProductPayload(Payload):
    """A product."""

    sku: Reference
    name: Text = ""
    url: Text = ""
    image_url: Text = ""
    category: Text = ""
    price: Money | None = None


class PricePayload(ProductPayload):
    """A product whose price fell."""

    old_price: Money | None = None


class SearchPayload(Payload):
    """A search, and how much it found."""

    query: Text
    results: Annotated[int, Field(ge=0)] | None = None


class ReviewPayload(Payload):
    """A review of a product."""

    sku: Reference = ""
    name: Text = ""
    rating: int | None = None
    text: Text = ""
    url: Text = ""


class WishlistPayload(Payload):
    """A wish list as it stands."""

    lines: list[Line] = []
    url: Text = ""


class JourneyPayload(Payload):
    """A journey that somebody asks to begin or to leave; what else is given, its steps can read."""

    journey: Text


class MessagePayload(Payload):
    """What became of a message of ours; `run` and `node` say which step of which run sent it."""

    message_id: Text
    run: int = 0
    node: Text = ""
    #: No person did this: a scanner opened it, a gateway followed its links.
    machine: bool = False
    #: A bounce that will be the same tomorrow: there is no such address.
    permanent: bool = False
    url: Text = ""
    detail: Text = ""


#: Recorded whenever a journey changes a person, so that runs that wait for it look again.
CONTACT_CHANGED: Final = "contact_changed"
#: Made by `api.enrol`, `api.exit_journey` and the step that starts another journey.
JOURNEY_REQUESTED: Final = "journey_requested"
JOURNEY_EXIT_REQUESTED: Final = "journey_exit_requested"

#: Objects that a payload names in a field of its own, `cart_id` and so on.
_REFERENCES = ("cart", "checkout", "order")


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event.

    Attributes:
        name: Its identifier, such as `order_placed`.
        label: Its name for editors.
        payload: The model that its payload must satisfy.
        about: The kind of object that the key names (`cart`, `order`, …), or "".
        needs_contact: Whether it is about a person.
        derived: The engine alone makes it; a host that sends it is told so.
        names_object: The key is a whole reference already, such as `cart:12`.
    """

    name: str
    label: str | Promise
    payload: type[Payload]
    about: str = ""
    needs_contact: bool = True
    derived: bool = False
    names_object: bool = False

    def refs(self, key: str, payload: dict[str, Any]) -> list[str]:
        """Every object that an event of this type knows of, as `kind:id`, sorted."""
        found = {
            f"{kind}:{payload[f'{kind}_id']}" for kind in _REFERENCES if payload.get(f"{kind}_id")
        }
        if key:
            found.add(self._named(key))
        return sorted(found)

    def _named(self, key: str) -> str:
        return key if self.names_object else f"{self.about or self.name}:{key}"

    def objects(self) -> frozenset[str]:
        """The kinds of object that an event of this type can refer to."""
        named = {kind for kind in _REFERENCES if f"{kind}_id" in self.payload.model_fields}
        return frozenset(named | ({self.about} if self.about else set()))

    def run_key(self, key: str, payload: dict[str, Any]) -> str:
        """The object that a run begun by this event is about, as `kind:id`, or ""."""
        if key:
            return self._named(key)
        own = payload.get(f"{self.about}_id") if self.about else ""
        return f"{self.about}:{own}" if own else ""


event_types: Registry[EventType] = Registry("event type")

P = TypeVar("P", bound=Payload)


def register_event(
    name: str,
    *,
    label: str | Promise,
    about: str = "",
    needs_contact: bool = True,
    derived: bool = False,
    names_object: bool = False,
) -> Callable[[type[P]], type[P]]:
    """Register a payload model as the event type `name`; use as a class decorator.

    Raises:
        RegistrationError: The name is taken, or Django has finished starting.
    """

    def add(payload: type[P]) -> type[P]:
        kind = EventType(name, label, payload, about, needs_contact, derived, names_object)
        event_types.register(name)(kind)
        return payload

    return add


def _ours() -> None:
    kinds: tuple[tuple[str, Any, type[Payload], str], ...] = (
        ("user_registered", _("Customer registered"), Nothing, ""),
        ("user_updated", _("Customer changed their details"), Nothing, ""),
        ("subscribed", _("Subscribed to a topic"), TopicPayload, ""),
        ("unsubscribed", _("Withdrew from a topic"), TopicPayload, ""),
        ("page_viewed", _("Page viewed"), PagePayload, ""),
        ("product_viewed", _("Product viewed"), ProductPayload, "product"),
        ("search_performed", _("Search performed"), SearchPayload, ""),
        ("cart_updated", _("Cart changed"), CartPayload, "cart"),
        ("checkout_started", _("Checkout started"), CheckoutPayload, "checkout"),
        ("order_placed", _("Order placed"), OrderPayload, "order"),
        ("order_paid", _("Order paid"), OrderPayload, "order"),
        ("order_shipped", _("Order shipped"), ShipmentPayload, "order"),
        ("order_delivered", _("Order delivered"), ShipmentPayload, "order"),
        ("order_cancelled", _("Order cancelled"), OrderPayload, "order"),
        ("order_refunded", _("Order refunded"), RefundPayload, "order"),
        ("review_posted", _("Review posted"), ReviewPayload, "product"),
        ("wishlist_updated", _("Wish list changed"), WishlistPayload, ""),
        ("message_delivered", _("Message delivered"), MessagePayload, "message"),
        ("message_opened", _("Message opened"), MessagePayload, "message"),
        ("message_clicked", _("Link in a message clicked"), MessagePayload, "message"),
        ("message_bounced", _("Message bounced"), MessagePayload, "message"),
        ("message_rejected", _("Message refused by the provider"), MessagePayload, "message"),
        ("message_complained", _("Message reported as spam"), MessagePayload, "message"),
    )
    for name, label, payload, about in kinds:
        register_event(name, label=label, about=about)(payload)
    register_event(
        "product_back_in_stock",
        label=_("Product back in stock"),
        about="product",
        needs_contact=False,
    )(ProductPayload)
    register_event("price_dropped", label=_("Price dropped"), about="product", needs_contact=False)(
        PricePayload
    )
    register_event("cart_abandoned", label=_("Cart abandoned"), about="cart", derived=True)(
        CartPayload
    )
    register_event(CONTACT_CHANGED, label=_("Changed by a journey"), derived=True)(Nothing)
    for name, label in (
        (JOURNEY_REQUESTED, _("Asked into a journey")),
        (JOURNEY_EXIT_REQUESTED, _("Asked out of a journey")),
    ):
        register_event(name, label=label, derived=True, names_object=True)(JourneyPayload)


_ours()
