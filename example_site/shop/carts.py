"""The visitor's cart: thin verbs over Salesman's basket."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from salesman.basket.models import BASKET_ID_SESSION_KEY, BaseBasket
from salesman.core.utils import get_salesman_model

from .visitors import visitor_of

SALT = "shop.cart"


def peek(request: HttpRequest) -> BaseBasket | None:
    """Return the visitor's cart if there is one; looking at a page makes none."""
    basket_model = get_salesman_model("Basket")
    if request.user.is_authenticated:
        if BASKET_ID_SESSION_KEY in request.session:
            # Signed in a moment ago, with a cart from before: Salesman merges the two.
            return open_cart(request)
        found = basket_model.objects.filter(user=request.user).first()
    else:
        key = request.session.get(BASKET_ID_SESSION_KEY)
        found = basket_model.objects.filter(pk=key, user=None).first() if key else None
    cart: BaseBasket | None = found
    return cart


def open_cart(request: HttpRequest) -> BaseBasket:
    """Return the visitor's cart, made if need be."""
    basket: BaseBasket
    basket, _ = get_salesman_model("Basket").objects.get_or_create_from_request(request)
    remember(basket, visitor=visitor_of(request))
    return basket


def remember(basket: BaseBasket, **facts: Any) -> None:
    """Note facts in the cart's ``extra``, with a query only where one has changed."""
    extra = {**basket.extra, **facts}
    if extra != basket.extra:
        basket.extra = extra
        basket.save(update_fields=["extra", "date_updated"])


def return_path(basket: BaseBasket) -> str:
    """Return the path that brings a guest back to this cart, from whichever device."""
    return reverse("shop:cart_return", args=[signing.Signer(salt=SALT).sign(basket.pk)])


def take_back(request: HttpRequest, token: str) -> None:
    """Put a guest's cart of before into this session. A forged or stale link changes nothing."""
    try:
        key = int(signing.Signer(salt=SALT).unsign(token))
    except signing.BadSignature:
        return
    known = get_salesman_model("Basket").objects.filter(pk=key, user=None).exists()
    if known and not request.user.is_authenticated:
        request.session[BASKET_ID_SESSION_KEY] = key
