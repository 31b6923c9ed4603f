"""Raw MJML, for those who may write it."""

from __future__ import annotations

import re
from typing import Any, Final

import mjml as mrml
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import TextBlock as PlainTextBlock

from ....exceptions import TemplateProblem
from ...compile import plain_text
from ...masking import Masker
from ...sanitise import TAGS
from ..base import ADVANCED, Mail, MailBlock, Piece, without_marks
from ..registry import register_block

#: Who may put it into a template, and change it there.
PERMISSION: Final = "wagtail_triggers.use_raw_mjml"
#: What stands in a body: no `mj-include`, no head, nothing that runs or loads from elsewhere.
_ALLOWED: Final = TAGS | {
    "mj-section", "mj-column", "mj-group", "mj-text", "mj-button", "mj-image", "mj-divider",
    "mj-spacer", "mj-table", "mj-wrapper", "mj-hero", "mj-navbar", "mj-navbar-link",
}  # fmt: skip
_ROOTS: Final = ("<mj-section", "<mj-hero", "<mj-wrapper", "{%")
_ELEMENT: Final = re.compile(r"<\s*/?\s*([a-zA-Z][\w:-]*)")
_HANDLER: Final = re.compile(r"[\s/\"']on\w+\s*=", re.IGNORECASE)
#: Elements that get the mail's own colours, in the dark too, unless they bring a class.
_SECTION: Final = re.compile(r"<mj-section(?![^>]*\bcss-class)")
_TEXT: Final = re.compile(r"<mj-text(?![^>]*\bcss-class)")
_MJ_ELEMENT: Final = re.compile(r"</?mj-[\w-]+\b[^>]*>", re.IGNORECASE)


@register_block
class MjmlBlock(MailBlock, PlainTextBlock):
    """Whole sections in MJML with Liquid."""

    identifier = "mjml"
    place = 20
    in_columns = False
    in_conditions = False

    class Meta:
        icon = "code"
        label = _("Raw MJML")
        group = ADVANCED
        rows = 12
        description = _("Whole sections in MJML, with Liquid. Needs a permission of its own.")
        preview_value = (
            "<mj-section><mj-column><mj-text>Hello {{ contact.first_name }}</mj-text>"
            "</mj-column></mj-section>"
        )

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"rows": 12, **options})

    def clean(self, value: Any) -> Any:
        """Refuse what is no MJML of a body, unless a draft is saved.

        Raises:
            ValidationError: With what to change.
        """
        cleaned = super().clean(value)
        if cleaned and not self.is_deferred_validation:
            try:
                checked(cleaned)
            except TemplateProblem as problem:
                raise ValidationError(str(problem)) from problem
        return cleaned

    def compile(self, value: Any, mail: Mail) -> Piece:
        """The sections as they are written, once they are known to be harmless."""
        source = without_marks(value or "").strip()
        if not source:
            return Piece()
        styled = _SECTION.sub('<mj-section mj-class="card" css-class="wt-card"', checked(source))
        return Piece(
            sections=_TEXT.sub('<mj-text css-class="wt-body"', styled),
            text=plain_text(_MJ_ELEMENT.sub(" ", source), base_url=mail.brand.url),
        )


def checked(source: str) -> str:
    """MJML that may stand in a body.

    Raises:
        TemplateProblem: It holds an element that it may not, runs something, or is not MJML.
    """
    for name in _ELEMENT.findall(source):
        if name.lower() not in _ALLOWED:
            raise TemplateProblem(_t("“%(name)s” cannot be used here. Remove it.") % {"name": name})
    if _HANDLER.search(source):
        raise TemplateProblem(_t("Scripts cannot be used in a mail. Remove them."))
    if not source.lstrip().startswith(_ROOTS):
        raise TemplateProblem(
            _t("Begin with a section: <mj-section><mj-column>…</mj-column></mj-section>.")
        )
    masked = Masker().mask_html(source)
    try:
        mrml.mjml2html(f"<mjml><mj-body>{masked}</mj-body></mjml>", fonts={})
    except (ValueError, OSError, RuntimeError) as error:
        raise TemplateProblem(_t("This is not MJML: %s") % error) from error
    return source
