"""What events about Oscar's objects carry, in as many queries for one line as for fifty."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import prefetch_related_objects
from django.urls import NoReverseMatch, reverse
from oscar.core.loading import get_model

from ...core.adapting import absolute, filled
from ...core.money import money


def product_payload(product: Any) -> dict[str, Any]:
    """A product: what `product_viewed` and `product_back_in_stock` carry."""
    record = _record_of(product)
    return filled(
        sku=sku_of(product, record),
        name=product.get_title(),
        url=absolute(product.get_absolute_url()),
        image_url=_image(product),
        category=_category(product),
        price=money(record.price, record.price_currency) if record is not None else None,
    )


def cart_payload(basket: Any) -> dict[str, Any]:
    """A basket as it stands in the database; without lines where it is empty."""
    lines = list(_lines_of(basket))
    total = sum((_line_price(one) * one.quantity for one in lines), Decimal(0))
    currency = next((one.price_currency for one in lines), "")
    return filled(
        cart_id=str(basket.pk),
        lines=[_cart_line(one) for one in lines],
        total=money(total, currency),
        url=absolute(_path("basket:summary")),
    )


def order_payload(order: Any) -> dict[str, Any]:
    """An order with its lines, as they were bought."""
    lines = list(order.lines.all())
    _load_products(lines)
    return filled(
        order_id=str(order.pk),
        number=str(order.number),
        cart_id=str(order.basket_id or ""),
        lines=[_order_line(one, order.currency) for one in lines],
        **_sums(order, lines),
        total=money(order.total_incl_tax, order.currency),
        shipping_address=_address(order.shipping_address),
        url=absolute(_order_path(order)),
    )


def _sums(order: Any, lines: list[Any]) -> dict[str, Any]:
    """The parts of the total; taxes are included in the others."""
    before = sum((one.line_price_before_discounts_incl_tax for one in lines), Decimal(0))
    after = sum((one.line_price_incl_tax for one in lines), Decimal(0))
    tax = order.total_incl_tax - order.total_excl_tax
    parts = {"shipping": order.shipping_incl_tax, "discount": before - after, "tax": tax}
    known = {name: money(value, order.currency) for name, value in parts.items() if value}
    return {"subtotal": money(before, order.currency), **known}


def _address(address: Any) -> dict[str, str] | None:
    if address is None:
        return None
    return filled(
        name=address.name,
        line1=address.line1,
        line2=", ".join(one for one in (address.line2, address.line3) if one),
        postcode=address.postcode,
        city=address.line4,
        region=address.state,
        country=str(address.country.printable_name),
    )


def sku_of(product: Any, record: Any = None) -> str:
    """The number of an article: the partner's SKU, else the UPC, else our own."""
    return str(getattr(record, "partner_sku", "") or product.upc or f"product:{product.pk}")


def _lines_of(basket: Any) -> Iterable[Any]:
    lines = get_model("basket", "Line").objects.filter(basket_id=basket.pk).order_by("pk")
    found = list(lines.select_related("product__parent", "stockrecord"))
    _load_products(found)
    return found


def _load_products(lines: list[Any]) -> None:
    """Pictures and categories of all lines at once, of a variant its parent's too."""
    products = [one.product for one in lines if one.product is not None]
    if products:
        prefetch_related_objects(
            products, "images", "categories", "parent__images", "parent__categories"
        )


def _cart_line(line: Any) -> dict[str, Any]:
    return filled(
        sku=sku_of(line.product, line.stockrecord),
        name=line.product.get_title(),
        quantity=line.quantity,
        unit_price=money(_line_price(line), line.price_currency),
        url=absolute(line.product.get_absolute_url()),
        image_url=_image(line.product),
        category=_category(line.product),
    )


def _order_line(line: Any, currency: str) -> dict[str, Any]:
    product = line.product
    return filled(
        sku=str(line.partner_sku or line.upc or f"product:{line.product_id or 0}"),
        name=line.title,
        quantity=line.quantity,
        unit_price=money(line.unit_price_incl_tax, currency),
        url=absolute(product.get_absolute_url()) if product is not None else "",
        image_url=_image(product) if product is not None else "",
        category=_category(product) if product is not None else "",
    )


def _line_price(line: Any) -> Decimal:
    """The price of one when the line was last written; taxes included where they are known."""
    price = line.price_excl_tax if line.price_incl_tax is None else line.price_incl_tax
    return Decimal(price or 0)


def _record_of(product: Any) -> Any:
    return product.stockrecords.order_by("price").first() if product.pk else None


def _image(product: Any) -> str:
    """The first picture's address; a variant without one shows its parent's."""
    for owner in (product, product.parent):
        images = list(owner.images.all()) if owner is not None else []
        if images and images[0].original:
            return absolute(images[0].original.url)
    return ""


def _category(product: Any) -> str:
    for owner in (product, product.parent):
        found = list(owner.categories.all()) if owner is not None else []
        if found:
            return str(found[0].name)
    return ""


def _order_path(order: Any) -> str:
    if order.user_id:
        return _path("customer:order", order_number=order.number)
    return _path("customer:anon-order", order_number=order.number, hash=order.verification_hash())


def _path(name: str, **kwargs: Any) -> str:
    """A path of the shop, or "" where a project has taken that page away."""
    try:
        return reverse(name, kwargs=kwargs or None)
    except NoReverseMatch:
        return ""
