"""The HTML that an editor may put into a mail. Liquid in it is masked before it comes here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import nh3
from django.utils.translation import gettext as _

from ..exceptions import TemplateProblem
from .masking import starts_with_mask

_TEXT_TAGS: Final = frozenset(
    {
        "a", "abbr", "b", "big", "blockquote", "br", "center", "cite", "code", "dd", "del", "div",
        "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
        "i", "img", "ins", "li", "mark", "ol", "p", "pre", "q", "s", "small", "span", "strike",
        "strong", "sub", "sup", "u", "ul",
    }
)  # fmt: skip
_TABLE_TAGS: Final = frozenset(
    {"caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
)
TAGS: Final = _TEXT_TAGS | _TABLE_TAGS

_BOX: Final = {"align", "valign", "width", "height", "bgcolor"}
_ATTRIBUTES: Final = {
    "*": {"style", "class", "dir", "lang", "title", "role"},
    "a": {"href", "target"},
    "img": {"src", "alt", "width", "height", "border", "align"},
    "table": _BOX | {"border", "cellpadding", "cellspacing", "summary"},
    "td": _BOX | {"colspan", "rowspan", "nowrap"},
    "th": _BOX | {"colspan", "rowspan", "nowrap", "scope"},
    "tr": _BOX,
    "col": _BOX | {"span"},
    "colgroup": _BOX | {"span"},
    "ol": {"start", "type"},
    "font": {"color", "face", "size"},
    "div": {"align"},
    "p": {"align"},
    "hr": {"align", "width", "size"},
}
URL_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})

#: Properties that mail programs know and that cannot load, cover or hide anything.
_PROPERTY: Final = re.compile(
    r"(?:background-color|border(?:-(?:top|right|bottom|left))?(?:-(?:color|style|width|radius))?|"
    r"border-(?:collapse|spacing)|color|direction|display|font(?:-(?:family|size|style|weight))?|"
    r"height|letter-spacing|line-height|list-style-type|margin(?:-(?:top|right|bottom|left))?|"
    r"max-width|min-width|padding(?:-(?:top|right|bottom|left))?|table-layout|"
    r"text-(?:align|decoration|indent|transform)|vertical-align|white-space|width|word-break)"
)
_VALUE: Final = re.compile(r"(?:[\w\s#%.,'\"!+-]|(?:rgb|rgba|hsl|hsla)\([\d\s,.%/]*\))*")
#: Classes that our layout styles.
CLASSES: Final = frozenset({"button", "lead", "lines", "muted", "number"})


@dataclass
class _Relative:
    """Makes relative links absolute, remembering those that cannot be."""

    base: str
    homeless: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> str | None:
        if starts_with_mask(url) or url.startswith("#"):
            return url
        if self.base and url.startswith("/") and not url.startswith("//"):
            return self.base + url
        self.homeless.append(url)
        return None


def clean_style(value: str) -> str:
    """The safe declarations of a style attribute."""
    kept = []
    for declaration in value.split(";"):
        name, colon, content = declaration.partition(":")
        name, content = name.strip().lower(), content.strip()
        if colon and _PROPERTY.fullmatch(name) and _VALUE.fullmatch(content):
            kept.append(f"{name}: {content}")
    return "; ".join(kept)


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return clean_style(value) or None
    if name == "class":
        return " ".join(one for one in value.split() if one in CLASSES) or None
    if name == "target":
        return "_blank"
    return value


def clean_html(html: str, *, base_url: str = "") -> str:
    """Sanitise a body whose Liquid is masked.

    Args:
        html: What the editor wrote, masked.
        base_url: The shop's address, put before links that start with "/".

    Returns:
        Well-formed HTML with the masks that stood in allowed places. Whether all of them are
        there is for `Masker.unmask` to tell.

    Raises:
        TemplateProblem: A link has no address of its own.
    """
    relative = _Relative(base_url.rstrip("/"))
    cleaned = nh3.clean(
        html,
        tags=set(TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        clean_content_tags={"script", "style", "title", "textarea", "noscript", "template", "svg"},
        strip_comments=False,
        link_rel=None,
        url_schemes=set(URL_SCHEMES),
        url_relative=relative,
    )
    if relative.homeless:
        raise TemplateProblem(
            _("The link “%(url)s” leads nowhere from a mail. Write it whole, with https://.")
            % {"url": relative.homeless[0]}
        )
    return cleaned
