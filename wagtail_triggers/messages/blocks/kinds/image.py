"""A picture."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import BlockGroup, BooleanBlock, CharBlock, ChoiceBlock, StructBlock
from wagtail.images.blocks import ImageChooserBlock

from ..addresses import AddressBlock, address
from ..base import TEXT, Mail, MailBlock, Piece
from ..pictures import rendition_url
from ..registry import register_block
from ..wares import body_text
from ..writing import attribute, escaped, only_with, plain, side
from .button import ALIGNMENTS

#: As wide as the text: the card less its margins.
FULL: Final = 536
WIDTHS: Final = {"full": FULL, "threequarter": 402, "half": 268, "third": 178}
WIDTH_CHOICES = [
    ("full", _("As wide as the text")),
    ("threequarter", _("Three quarters")),
    ("half", _("Half")),
    ("third", _("A third")),
]


@register_block
class ImageBlock(MailBlock, StructBlock):
    """A picture of the library. Where it is gone, its words stand in."""

    identifier = "image"
    place = 30

    image = ImageChooserBlock(label=_("Picture"))
    alt = CharBlock(
        label=_("Words for it"),
        required=False,
        max_length=255,
        help_text=_(
            "What it shows, for those who cannot see it: many mail programs load no pictures. "
            "Empty: it is decoration."
        ),
    )
    url = AddressBlock(label=_("Link"), required=False)
    width = ChoiceBlock(label=_("Width"), choices=WIDTH_CHOICES, default="full")
    align = ChoiceBlock(label=_("Position"), choices=ALIGNMENTS, default="center")
    square = BooleanBlock(label=_("Square corners"), required=False)

    class Meta:
        icon = "image"
        label = _("Picture")
        label_format = "{alt}"
        group = TEXT
        description = _("A picture, scaled for mail, with words for those who cannot see it.")
        preview_value = {"alt": _("A picture of the library"), "width": "full"}
        form_layout = BlockGroup(
            children=["image", "alt", "url"], settings=["width", "align", "square"]
        )

    def compile(self, value: Any, mail: Mail) -> Piece:
        """The scaled picture, twice as large as it is shown, for sharp screens."""
        alt = (value.get("alt") or "").strip()
        width = WIDTHS.get(value.get("width") or "full", FULL)
        image = value.get("image")
        source = rendition_url(image, f"width-{width * 2}", mail.brand.url) if image else ""
        link = (value.get("url") or "").strip()
        where = address(link, mail) if link else ""
        if not source:
            html = f'<p class="muted">{escaped(alt)}</p>'
            return Piece(content=body_text(html, mail), text=plain(alt)) if alt else Piece()
        radius = 0 if value.get("square") else mail.brand.radius

        def picture(href: str) -> str:
            return (
                f'<mj-image css-class="wt-picture"{href} alt="{attribute(alt)}"'
                f' src="{attribute(source)}" width="{width}px" padding="8px 24px"'
                f' align="{side(value.get("align"), "center")}" border-radius="{radius}px" />'
            )

        if not where:
            return Piece(content=picture(""), text=plain(alt))
        name = f"image{len(mail.holes)}"
        linked = picture(f' href="{attribute(where)}"')
        text = f"{plain(alt)}: {plain(where)}" if alt else plain(where)
        shown = only_with(where, name, linked)
        if shown == linked:
            return Piece(content=linked, text=text)
        head, _end, _rest = shown.rpartition("{% endif %}")
        return Piece(
            content=f"{head}{{% else %}}{picture('')}{{% endif %}}",
            text=only_with(where, name, text),
        )
