"""How the mails of a site look: the part of its settings that every mail is compiled with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .blocks.field import LinksField
from .picture_field import PictureField

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_COLOUR: Final = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", _("Write it like #2b5fd9."))


class Font(models.TextChoices):
    """Families that are on nearly every machine: a mail brings no fonts of its own."""

    SYSTEM = "system", _("The reader's own system font")
    HELVETICA = "helvetica", "Helvetica, Arial"
    VERDANA = "verdana", "Verdana"
    TREBUCHET = "trebuchet", "Trebuchet MS"
    TAHOMA = "tahoma", "Tahoma"
    GEORGIA = "georgia", "Georgia"
    PALATINO = "palatino", "Palatino, Book Antiqua"
    TIMES = "times", "Times New Roman"


def _colour(label: StrOrPromise, default: str, **options: Any) -> models.CharField[str, str]:
    return models.CharField(
        label,
        max_length=7,
        default=default,
        validators=[_COLOUR],
        **options,
    )


class BrandLook(models.Model):
    """Logo, colours, font, corners and footer."""

    logo = PictureField(
        verbose_name=_("logo"),
        help_text=_("PNG or JPEG: mail programs show no SVG. Empty: the sender's name in letters."),
    )
    logo_width = models.PositiveSmallIntegerField(
        _("width of the logo"),
        default=160,
        validators=[MinValueValidator(40), MaxValueValidator(520)],
        help_text=_("In pixels, as it is shown."),
    )
    colour = _colour(_("brand colour"), "#1f5c57", help_text=_("Of buttons."))
    link_colour = _colour(
        _("colour of links"), "", blank=True, help_text=_("Empty: the brand colour.")
    )
    text_colour = _colour(_("colour of text"), "#22252b")
    card_colour = _colour(_("colour behind the text"), "#ffffff")
    page_colour = _colour(_("colour around the mail"), "#f2f3f6")
    font = models.CharField(_("font"), max_length=16, choices=Font.choices, default=Font.SYSTEM)
    corner_radius = models.PositiveSmallIntegerField(
        _("rounding of corners"),
        default=8,
        validators=[MaxValueValidator(32)],
        help_text=_("In pixels: of buttons and pictures. 0: square corners."),
    )
    footer_text = models.TextField(
        _("footer"),
        blank=True,
        help_text=_("A line or two below every mail, for example the company's registration."),
    )
    social_links = LinksField(verbose_name=_("social links"), blank=True)
    dark_link_colour = _colour(
        _("colour of links in the dark"),
        "",
        blank=True,
        help_text=_("Empty: a lighter shade of the brand colour."),
    )
    dark_text_colour = _colour(_("colour of text in the dark"), "#eceef2")
    dark_card_colour = _colour(_("colour behind the text in the dark"), "#20232a")
    dark_page_colour = _colour(_("colour around the mail in the dark"), "#16181d")

    class Meta:
        abstract = True
