"""Pages and pictures of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.images import ImageFile
from django.utils.text import slugify
from PIL import Image as Pillow
from wagtail.images import get_image_model
from wagtail.models import Locale, Site

from ..art import draw
from ..art.hero import paint_hero
from ..models import CategoryPage, HomePage, Page, ProductPage, TextPage
from .texts import HOME, TEXT_PAGES
from .wares import SHELVES, Ware

#: The title of the home page's picture in the library.
HERO = "A table by the window"


def set_up(say: Callable[[str], None]) -> None:
    """Make the pages that are missing, draw their pictures, and point the site at them."""
    home = _home()
    _site(home)
    say("drawing the pictures")
    home.picture = _picture(HERO, lambda: paint_hero(800))
    home.save()
    for shelf in SHELVES:
        category = _child(home, CategoryPage, shelf.slug, title=shelf.title, lead=shelf.lead)
        for ware in shelf.wares:
            _product(category, ware)
        category.picture = ProductPage.objects.get(code=shelf.picture).picture
        category.show_in_menus = True
        category.save()
    for slug, title, lead, body in TEXT_PAGES:
        _child(home, TextPage, slug, title=title, lead=lead, body=body)


def _home() -> Any:
    found = HomePage.objects.first()
    if found is not None:
        return found
    root = Page.get_first_root_node()
    # Wagtail's own first page stands where the shop's home page belongs.
    for first in root.get_children().filter(slug="home"):
        first.delete()
    root.refresh_from_db()
    return root.add_child(
        instance=HomePage(title="Tern & Kettle", slug="home", locale=Locale.get_default(), **HOME)
    )


def _site(home: Any) -> None:
    """Let the site know under which address the shop runs this time."""
    address = urlsplit(settings.SHOP_URL)
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    site.hostname = address.hostname or "127.0.0.1"
    site.port = address.port or 80
    site.site_name = settings.WAGTAIL_SITE_NAME
    site.root_page = Page.objects.get(pk=home.pk)
    site.save()


def _child(parent: Any, kind: Any, slug: str, **fields: Any) -> Any:
    found = kind.objects.child_of(parent).filter(slug=slug).first()
    if found is not None:
        return found
    return parent.add_child(instance=kind(slug=slug, show_in_menus=False, **fields))


def _product(category: Any, ware: Ware) -> None:
    if ProductPage.objects.filter(code=ware.code).exists():
        return
    product = ProductPage(
        title=ware.name,
        slug=slugify(ware.name),
        code=ware.code,
        price=Decimal(ware.price),
        unit=ware.unit,
        summary=ware.summary,
        description=f"<p>{ware.text}</p>",
        details=ware.details,
        favourite=ware.favourite,
        picture=_picture(ware.name, lambda: draw(ware.code)),
        search_description=ware.summary,
    )
    category.add_child(instance=product)
    # Mails and carts show this one: better made now than at somebody's checkout.
    product.thumbnail_url  # noqa: B018


def _picture(title: str, paint: Callable[[], Pillow.Image]) -> Any:
    images = get_image_model()
    found = images.objects.filter(title=title).first()
    if found is not None:
        return found
    data = BytesIO()
    paint().save(data, "JPEG", quality=92)
    return images.objects.create(title=title, file=ImageFile(data, name=f"{slugify(title)}.jpg"))
