"""Cart, checkout and order pages. Every form works without a script."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from salesman.basket.models import BaseBasket
from salesman.checkout.payment import PaymentError, payment_methods_pool
from salesman.core.utils import get_salesman_model
from salesman.orders.models import BaseOrder

from wagtail_triggers.api import Who, subscribe

from . import signals
from .carts import open_cart, peek, remember, take_back
from .forms import AddressForm, LetterForm, QuantityForm, VoucherForm
from .models import ProductPage
from .modifiers import FREE_FROM
from .visitors import visitor_of

ADDRESS_FIELDS = ("first_name", "last_name", "street", "postcode", "town", "country")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Show the page for addresses that lead nowhere."""
    return render(request, "shop/404.html", status=404)


def _filled_cart(request: HttpRequest) -> BaseBasket | None:
    basket = peek(request)
    if basket is None or not basket.count:
        return None
    basket.update(request)
    return basket


@never_cache
@require_GET
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart."""
    basket = _filled_cart(request)
    missing = FREE_FROM - basket.subtotal if basket else None
    return render(
        request,
        "shop/cart.html",
        {
            "basket": basket,
            "free_from": FREE_FROM,
            "missing": missing,
            "voucher_form": VoucherForm(),
        },
    )


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put an article into the cart."""
    product = get_object_or_404(ProductPage.objects.live(), pk=pk)
    form = QuantityForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["quantity"]:
        messages.error(request, _("Please choose a number between 1 and 20."))
        return redirect(product.url)
    with transaction.atomic():
        open_cart(request).add(product, form.cleaned_data["quantity"])
    messages.success(request, _("%(name)s is in your cart.") % {"name": product.name})
    return redirect("shop:cart")


@require_POST
def change(request: HttpRequest, ref: str) -> HttpResponse:
    """Change how many of an article are in the cart; none takes it out."""
    form = QuantityForm(request.POST)
    basket = peek(request)
    item = basket.find(ref) if basket else None
    if item is None:
        messages.error(request, _("This article is no longer in your cart."))
    elif not form.is_valid():
        messages.error(request, _("Please choose a number between 0 and 20."))
    elif form.cleaned_data["quantity"] == 0:
        item.delete()
    elif form.cleaned_data["quantity"] != item.quantity:
        item.quantity = form.cleaned_data["quantity"]
        item.save(update_fields=["quantity", "date_updated"])
    return redirect("shop:cart")


@require_POST
def voucher(request: HttpRequest) -> HttpResponse:
    """Take a voucher, or take it back."""
    basket = _filled_cart(request)
    if basket is None:
        return redirect("shop:cart")
    if "remove" in request.POST:
        remember(basket, voucher="")
        return redirect("shop:cart")
    form = VoucherForm(request.POST)
    if form.is_valid():
        remember(basket, voucher=form.cleaned_data["code"])
        messages.success(request, _("Your voucher counts."))
    else:
        messages.error(request, " ".join(map(str, form.errors["code"])))
    return redirect("shop:cart")


@require_GET
def cart_return(request: HttpRequest, token: str) -> HttpResponse:
    """Bring a guest back to the cart of a reminder."""
    take_back(request, token)
    return redirect("shop:cart")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Ask for the address: the first step of the checkout."""
    basket = _filled_cart(request)
    if basket is None:
        return redirect("shop:cart")
    form = AddressForm(request.POST or None, initial=_known_address(request, basket))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            _take_address(request, basket, form)
        return redirect("shop:payment")
    return render(request, "shop/checkout.html", {"form": form, "basket": basket})


def _known_address(request: HttpRequest, basket: BaseBasket) -> dict[str, Any]:
    known = {name: basket.extra[name] for name in ADDRESS_FIELDS if basket.extra.get(name)}
    if request.user.is_authenticated:
        order = get_salesman_model("Order").objects.filter(user=request.user).first()
        before = {name: (order.extra or {}).get(name) for name in ADDRESS_FIELDS} if order else {}
        mine = {"email": request.user.email, "first_name": request.user.first_name}
        return {**mine, **{k: v for k, v in before.items() if v}, **known}
    return {"email": basket.extra.get("email", ""), **known}


def _take_address(request: HttpRequest, basket: BaseBasket, form: AddressForm) -> None:
    data = form.cleaned_data
    remember(
        basket,
        email=data["email"],
        shipping_address=form.postal(),
        billing_address=form.postal(),
        **{name: data[name] for name in ADDRESS_FIELDS},
    )
    if data["newsletter"]:
        subscribe(
            Who(email=data["email"], cookie_id=visitor_of(request), first_name=data["first_name"]),
            "news",
            source="checkout",
        )
    signals.checkout_started.send(type(basket), basket=basket, request=request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def payment(request: HttpRequest) -> HttpResponse:
    """Show the order once more and take it: the last step of the checkout."""
    basket = _filled_cart(request)
    if basket is None:
        return redirect("shop:cart")
    if not basket.extra.get("shipping_address"):
        return redirect("shop:checkout")
    error = ""
    if request.method == "POST":
        try:
            return redirect(_pay(request, basket))
        except (PaymentError, ValidationError) as problem:
            error = getattr(problem, "message", str(problem))
    methods = payment_methods_pool.get_payments("basket", request)
    context = {"basket": basket, "methods": methods, "error": error}
    return render(request, "shop/payment.html", context)


@transaction.atomic
def _pay(request: HttpRequest, basket: BaseBasket) -> str:
    """Hand the basket to the chosen payment method; return the address of the order."""
    chosen = request.POST.get("payment_method", "")
    method = payment_methods_pool.get_payment(chosen, "basket", request)
    if method is None:
        raise PaymentError(_("Please choose how you want to pay."))
    # A second click waits here, and finds the cart gone.
    locked = type(basket).objects.select_for_update().filter(pk=basket.pk).first()
    if locked is None:
        raise PaymentError(_("This cart has already been ordered."))
    locked.update(request)
    method.validate_basket(locked, request)
    return str(method.basket_payment(locked, request))


def order_for(request: HttpRequest, ref: str) -> BaseOrder:
    """Return an order that this visitor may see: their own, or one whose token they hold.

    Raises Http404 for every other.
    """
    orders = get_salesman_model("Order").objects.prefetch_related("items")
    token = request.GET.get("token", "")
    if request.user.is_authenticated:
        found = orders.filter(ref=ref, user=request.user).first()
        if found is not None:
            return _as_order(found)
    if token:
        return _as_order(get_object_or_404(orders, ref=ref, token=token, user=None))
    raise Http404("No such order for this visitor.")


def _as_order(found: Any) -> BaseOrder:
    order: BaseOrder = found
    return order


@never_cache
@require_GET
def order(request: HttpRequest, ref: str) -> HttpResponse:
    """Show an order."""
    found = order_for(request, ref)
    cancellable = "CANCELLED" in found.Status.get_transitions().get(found.status, [])
    return render(request, "shop/order.html", {"order": found, "cancellable": cancellable})


@require_POST
def cancel(request: HttpRequest, ref: str) -> HttpResponse:
    """Cancel an order that has not been packed."""
    found = order_for(request, ref)
    try:
        with transaction.atomic():
            found.status = found.Status.validate_transition("CANCELLED", found)
            found.save(update_fields=["status"])
        messages.success(request, _("Your order has been cancelled."))
    except ValidationError as problem:
        messages.error(request, problem.message)
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{request.path.removesuffix('cancel/')}{query}")


@require_POST
def letters(request: HttpRequest) -> HttpResponse:
    """Subscribe an address that was given at the foot of a page."""
    form = LetterForm(request.POST)
    if form.is_valid():
        who = Who(email=form.cleaned_data["email"], cookie_id=visitor_of(request))
        subscribe(who, "news", source="footer")
        messages.success(request, _("Thank you. We write about once a month."))
    else:
        messages.error(request, _("That does not look like an e-mail address."))
    return redirect("/")


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Search the catalogue."""
    query = request.GET.get("q", "").strip()[:100]
    found: list[ProductPage] = []
    if query:
        products = ProductPage.objects.live().select_related("picture")
        found = list(products.autocomplete(query)) or list(products.search(query))
        signals.searched.send(ProductPage, query=query, results=len(found), request=request)
    return render(request, "shop/search.html", {"query": query, "products": found})
