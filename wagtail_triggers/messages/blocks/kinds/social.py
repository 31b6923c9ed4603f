"""Links to the shop's pages on social networks."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.blocks import CharBlock, ListBlock, StructBlock

from ...layout import literal, plain_literal
from ..base import LAYOUT, Mail, MailBlock, Piece
from ..registry import register_block
from ..social import NETWORKS, LinkBlock
from ..wares import body_text
from ..writing import attribute, escaped, plain


@register_block
class SocialBlock(MailBlock, StructBlock):
    """The site's links, or others for this mail."""

    identifier = "social"
    place = 50

    lead = CharBlock(
        label=_("Words before"), required=False, max_length=120, help_text=_("May be empty.")
    )
    links = ListBlock(
        LinkBlock(),
        label=_("Links"),
        default=[],
        max_num=8,
        help_text=_("Empty: those of the site, under Settings > Triggers."),
    )

    class Meta:
        icon = "group"
        label = _("Social links")
        group = LAYOUT
        description = _("Your pages on social networks: those of the site, or others.")
        preview_value = {
            "lead": _("Follow us"),
            "links": [
                {"network": "instagram", "url": "https://www.instagram.com/", "label": ""},
                {"network": "youtube", "url": "https://www.youtube.com/", "label": ""},
            ],
        }

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A centred line of links; nothing where there are none."""
        names = dict(NETWORKS)
        own = [
            (str(one.get("label") or names.get(one.get("network"), "")), one.get("url") or "")
            for one in value.get("links") or ()
        ]
        links = [(name, url) for name, url in own if name and url] or list(mail.brand.social)
        if not links:
            return Piece()
        lead = (value.get("lead") or "").strip()
        shown = " &nbsp; ".join(
            f'<a href="{attribute(url)}" style="white-space: nowrap">{literal(name)}</a>'
            for name, url in links
        )
        head = f'<span class="muted">{escaped(lead)}</span><br>' if lead else ""
        html = f'<p class="first" style="text-align: center">{head}{shown}</p>'
        lines = [f"{plain_literal(name)}: {plain_literal(url)}" for name, url in links]
        return Piece(
            content=body_text(html, mail),
            text="\n".join([*([plain(lead)] if lead else []), *lines]),
        )
