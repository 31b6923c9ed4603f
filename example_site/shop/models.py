"""The catalogue: pages of Wagtail."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import swapper
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.images import get_image_model_string
from wagtail.search import index

from . import signals
from .vouchers import Voucher as Voucher

# The base page is swappable in Wagtail 8: whichever one this project chose.
Page: Any = swapper.load_model("wagtailcore", "Page", require_ready=False)


def _image(related_name: str) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        get_image_model_string(),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name=related_name,
    )


class HomePage(Page):
    """The shop window."""

    heading = models.CharField(max_length=120)
    lead = models.TextField(max_length=400)
    story = RichTextField(blank=True, features=["bold", "italic", "link"])
    picture = _image("+")

    content_panels = [
        *Page.content_panels,
        FieldPanel("heading"),
        FieldPanel("lead"),
        FieldPanel("story"),
        FieldPanel("picture"),
    ]
    max_count = 1

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        products = ProductPage.objects.live().select_related("picture")
        context["favourites"] = products.filter(favourite=True).order_by("path")[:8]
        context["categories"] = CategoryPage.objects.live().child_of(self).select_related("picture")
        return context


class CategoryPage(Page):
    """One shelf of the shop."""

    lead = models.TextField(max_length=300)
    picture = _image("+")

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("picture")]
    parent_page_types = ["shop.HomePage"]

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        products = ProductPage.objects.live().child_of(self).select_related("picture")
        orders = {"price": "price", "-price": "-price", "name": "title"}
        context["sort"] = request.GET.get("sort", "")
        context["products"] = products.order_by(orders.get(context["sort"], "path"))
        return context


class ProductPage(Page):
    """One article. It is what django-salesman calls a product: it has a name, a code, a price."""

    code = models.CharField("article number", max_length=20, unique=True)
    price = models.DecimalField(
        "price in euro", max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    unit = models.CharField(max_length=40, blank=True, help_text="For instance: 100 g, 0.8 l")
    summary = models.CharField(max_length=160)
    description = RichTextField(features=["bold", "italic", "link", "ul"])
    details = models.TextField(
        blank=True, help_text="One a line, such as: Origin: Uji, Japan", max_length=600
    )
    favourite = models.BooleanField("show on the home page", default=False)
    picture = _image("+")

    content_panels = [
        *Page.content_panels,
        FieldPanel("code"),
        FieldPanel("price"),
        FieldPanel("unit"),
        FieldPanel("summary"),
        FieldPanel("description"),
        FieldPanel("details"),
        FieldPanel("picture"),
        FieldPanel("favourite"),
    ]
    search_fields = [
        *Page.search_fields,
        index.SearchField("code"),
        index.SearchField("summary"),
        index.SearchField("description"),
    ]
    parent_page_types = ["shop.CategoryPage"]
    subpage_types: list[str] = []

    @property
    def name(self) -> str:
        """The name that the cart and the order show."""
        return str(self.title)

    def get_price(self, request: HttpRequest | None) -> Decimal:
        """Return the price; the same for everybody."""
        return self.price

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The details as pairs of a name and a value."""
        lines = [line.partition(":") for line in self.details.splitlines() if ":" in line]
        return [(name.strip(), value.strip()) for name, _, value in lines]

    @property
    def absolute_url(self) -> str:
        """The address of the page, for mails."""
        return f"{settings.SHOP_URL}{self.url}"

    @property
    def thumbnail_url(self) -> str:
        """The address of a small picture, for mails and the cart."""
        if self.picture is None:
            return ""
        rendition = self.picture.get_rendition("fill-360x360|format-jpeg")
        return f"{settings.SHOP_URL}{rendition.url}"

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        siblings = ProductPage.objects.live().sibling_of(self, inclusive=False)
        after = siblings.filter(path__gt=self.path).order_by("path")
        before = siblings.filter(path__lt=self.path).order_by("path")
        context["related"] = [*after.select_related("picture"), *before.select_related("picture")][
            :4
        ]
        return context

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().serve(request, *args, **kwargs)
        if not getattr(request, "is_preview", False):
            signals.product_viewed.send(ProductPage, product=self, request=request)
        return response


class TextPage(Page):
    """A page of text: our story, delivery."""

    lead = models.TextField(max_length=300, blank=True)
    body = RichTextField(features=["h2", "bold", "italic", "link", "ul"])

    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("body")]
    parent_page_types = ["shop.HomePage"]
    subpage_types: list[str] = []
