"""The queries by which Saleor tells us what we want to know, and the manifest that declares them.

Each asks for `__typename`, since the body carries no other name of the event, and for `issuedAt`,
since nothing else says when it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse

from ... import __version__
from .configuration import Configuration

_USER: Final = "id email firstName lastName languageCode"
_MONEY: Final = "gross { amount currency }"
CHECKOUT: Final = f"""
  id email created updatedAt languageCode channel {{ slug }} user {{ {_USER} }}
  totalPrice {{ {_MONEY} }}
  lines {{
    id quantity unitPrice {{ {_MONEY} }}
    variant {{ id sku name product {{
      id name slug category {{ slug }} thumbnail(size: 512) {{ url }}
    }} }}
  }}
"""
ORDER: Final = f"""
  id number status created userEmail languageCodeEnum checkoutId channel {{ slug }}
  user {{ {_USER} }}
  subtotal {{ {_MONEY} }} shippingPrice {{ {_MONEY} }}
  total {{ {_MONEY} tax {{ amount currency }} }}
  shippingAddress {{
    firstName lastName streetAddress1 streetAddress2 postalCode city countryArea
    country {{ country }}
  }}
  lines {{
    id productName variantName productSku quantity unitPrice {{ {_MONEY} }}
    thumbnail(size: 512) {{ url }}
    variant {{ id sku product {{ id name slug category {{ slug }} }} }}
  }}
"""
_VARIANT: Final = (
    "id sku name product { id name slug category { slug } thumbnail(size: 512) { url } }"
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One webhook of the manifest.

    Attributes:
        name: What Saleor's dashboard calls it.
        events: Saleor's names of the events, as `WebhookEventTypeAsyncEnum` has them.
        types: The types of the body by which they are known again, `__typename`.
        part: What to ask of each.
    """

    name: str
    events: tuple[str, ...]
    types: tuple[str, ...]
    part: str

    @property
    def query(self) -> str:
        """The whole subscription."""
        asked = " ".join(f"... on {kind} {{ {self.part} }}" for kind in self.types)
        text = f"subscription {{ event {{ __typename issuedAt version {asked} }} }}"
        return " ".join(text.split())


SUBSCRIPTIONS: Final = (
    Subscription(
        "Customers",
        ("CUSTOMER_CREATED", "CUSTOMER_UPDATED"),
        ("CustomerCreated", "CustomerUpdated"),
        f"user {{ {_USER} }}",
    ),
    Subscription(
        "Checkouts",
        ("CHECKOUT_CREATED", "CHECKOUT_UPDATED"),
        ("CheckoutCreated", "CheckoutUpdated"),
        f"checkout {{ {CHECKOUT} }}",
    ),
    Subscription(
        "Orders",
        (
            "ORDER_CREATED", "ORDER_PAID", "ORDER_FULLY_PAID", "ORDER_CANCELLED",
            "ORDER_REFUNDED", "ORDER_FULLY_REFUNDED",
        ),
        (
            "OrderCreated", "OrderPaid", "OrderFullyPaid", "OrderCancelled", "OrderRefunded",
            "OrderFullyRefunded",
        ),
        f"order {{ {ORDER} }}",
    ),
    Subscription(
        "Shipments",
        ("FULFILLMENT_CREATED",),
        ("FulfillmentCreated",),
        f"fulfillment {{ id status trackingNumber }} order {{ {ORDER} }}",
    ),
    Subscription(
        "Stock",
        ("PRODUCT_VARIANT_BACK_IN_STOCK", "PRODUCT_VARIANT_OUT_OF_STOCK"),
        ("ProductVariantBackInStock", "ProductVariantOutOfStock"),
        f"productVariant {{ {_VARIANT} }}",
    ),
    Subscription("Removal", ("APP_DELETED",), ("AppDeleted",), "app { id }"),
)  # fmt: skip

PERMISSIONS: Final = (
    "MANAGE_USERS",
    "MANAGE_CHECKOUTS",
    "MANAGE_ORDERS",
    "MANAGE_PRODUCTS",
    "MANAGE_DISCOUNTS",
)


def manifest(config: Configuration) -> dict[str, Any]:
    """What Saleor GETs to install the app.

    The shape is of Saleor's App manifest, https://docs.saleor.io/developer/extending/apps/architecture/manifest
    """
    base = config.base_url
    return {
        "id": config.app_id,
        "version": __version__,
        "name": config.name,
        "about": "Journeys, letters and reminders that your editors draw in Wagtail.",
        "permissions": list(PERMISSIONS),
        "appUrl": base + "/",
        "tokenTargetUrl": base + reverse("wagtail_triggers_saleor:register"),
        "extensions": [],
        "webhooks": [
            {
                "name": one.name,
                "asyncEvents": list(one.events),
                "syncEvents": [],
                "query": one.query,
                "targetUrl": base + reverse("wagtail_triggers_saleor:webhook"),
                "isActive": True,
            }
            for one in SUBSCRIPTIONS
        ],
    }
