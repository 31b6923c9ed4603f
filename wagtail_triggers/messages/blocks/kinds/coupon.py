"""A coupon: its code, what it is worth, how long it holds."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from wagtail.blocks import BlockGroup, BooleanBlock, CharBlock, StructBlock

from ...layout import literal, plain_literal
from ..addresses import AddressBlock, address
from ..base import SHOP, Mail, MailBlock, Piece
from ..registry import register_block
from ..wares import body_text
from ..writing import attribute, escaped, only_with, plain


@register_block
class CouponBlock(MailBlock, StructBlock):
    """The coupon that the run was given, or one code for everybody."""

    identifier = "coupon"
    place = 40

    code = CharBlock(
        label=_("Code"),
        max_length=120,
        default="{{ coupon.code }}",
        help_text=_(
            "{{ coupon.code }} is the one that a step “Coupon” has made for this person. Or write "
            "one code for everybody."
        ),
    )
    worth = CharBlock(
        label=_("What it is worth"),
        required=False,
        max_length=255,
        help_text=_("Empty: what the coupon says of itself, such as “10 % off”."),
    )
    terms = BooleanBlock(
        label=_("Say how long it holds and what it needs"), required=False, default=True
    )
    button = CharBlock(label=_("Button"), required=False, max_length=120)
    url = AddressBlock(label=_("Address of the button"), required=False)
    fallback = CharBlock(
        label=_("Without a coupon"),
        required=False,
        max_length=500,
        help_text=_("Shown where there is no code. Empty: nothing."),
    )

    class Meta:
        icon = "tag"
        label = _("Coupon")
        group = SHOP
        description = _("A code in a frame, with what it is worth and how long it holds.")
        preview_value = {
            "code": "{{ coupon.code }}", "worth": "", "terms": True, "button": _("Use it"),
            "url": "/",
        }  # fmt: skip
        form_layout = BlockGroup(
            children=["code", "worth", "button", "url", "fallback"], settings=["terms"]
        )

    def compile(self, value: Any, mail: Mail) -> Piece:
        """A framed code, or the fallback."""
        code = (value.get("code") or "").strip()
        instead = (value.get("fallback") or "").strip()
        if not code:
            return Piece()
        html, text = self._box(value, code, mail)
        name = f"coupon{len(mail.holes)}"
        shown = only_with(code, name, body_text(html, mail, padding="16px 24px"))
        shown_text = only_with(code, name, text)
        if instead and shown.endswith("{% endif %}"):
            other = body_text(f'<p class="first">{escaped(instead)}</p>', mail)
            shown = shown.removesuffix("{% endif %}") + f"{{% else %}}{other}{{% endif %}}"
            shown_text = (
                shown_text.removesuffix("{% endif %}")
                + f"{{% else %}}{plain(instead)}{{% endif %}}"
            )
        return Piece(content=shown, text=shown_text)

    def _box(self, value: Any, code: str, mail: Mail) -> tuple[str, str]:
        worth = (value.get("worth") or "").strip()
        says = f"<strong>{escaped(worth)}</strong>" if worth else _worth_html()
        html = [f'<p style="margin: 0 0 8px">{says}</p>' if worth else says]
        html.append(f'<div class="code">{escaped(code)}</div>')
        text = [
            plain(worth) if worth else _worth_text(),
            f"{plain_literal(pgettext('mail', 'Code'))}: {plain(code)}",
        ]
        if value.get("terms"):
            html.append(_terms_html())
            text.append(_terms_text())
        words, link = (value.get("button") or "").strip(), (value.get("url") or "").strip()
        if words and link:
            where = address(link, mail)
            button = (
                f'<p style="margin: 16px 0 0"><a class="button" href="{attribute(where)}">'
                f"{escaped(words)}</a></p>"
            )
            name = f"use{len(mail.holes)}"
            html.append(only_with(where, name, button))
            text.append(only_with(where, name, f"{plain(words)}: {plain(where)}"))
        return f'<div class="box">{"".join(html)}</div>', "\n".join(one for one in text if one)


def _worth_html() -> str:
    said = f'<p style="margin: 0 0 8px"><strong>{_worth()}</strong></p>'
    return f"{{% if coupon.percent or coupon.amount %}}{said}{{% endif %}}"


def _worth_text() -> str:
    return f"{{% if coupon.percent or coupon.amount %}}{_worth()}{{% endif %}}"


def _worth() -> str:
    percent = literal(_t("%(percent)s%% off") % {"percent": "\ue100"})
    amount = literal(_t("%(amount)s off") % {"amount": "\ue100"})
    return (
        "{% if coupon.percent %}"
        + percent.replace("\ue100", "{{ coupon.percent | number }}")
        + "{% else %}"
        + amount.replace("\ue100", "{{ coupon.amount | money }}")
        + "{% endif %}"
    )


def _terms() -> tuple[str, str]:
    until = _t("Holds until %(day)s") % {"day": "\ue100"}
    minimum = _t("From %(amount)s") % {"amount": "\ue100"}
    return until, minimum


def _terms_html() -> str:
    until, minimum = (literal(one) for one in _terms())
    return (
        "{% if coupon.expires_at or coupon.minimum %}"
        '<p class="muted" style="margin: 8px 0 0">'
        "{% if coupon.expires_at %}"
        + until.replace("\ue100", '{{ coupon.expires_at | date: "long" }}')
        + "{% endif %}{% if coupon.expires_at and coupon.minimum %} &middot; {% endif %}"
        "{% if coupon.minimum %}"
        + minimum.replace("\ue100", "{{ coupon.minimum | money }}")
        + "{% endif %}</p>{% endif %}"
    )


def _terms_text() -> str:
    until, minimum = (plain_literal(one) for one in _terms())
    return (
        "{% if coupon.expires_at %}"
        + until.replace("\ue100", '{{ coupon.expires_at | date: "long" }}')
        + "\n{% endif %}{% if coupon.minimum %}"
        + minimum.replace("\ue100", "{{ coupon.minimum | money }}")
        + "\n{% endif %}"
    )
