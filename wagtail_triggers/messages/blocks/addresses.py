"""Addresses that an editor types: whole ones, those of the shop, and Liquid."""

from __future__ import annotations

import re
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import CharBlock

from ...exceptions import TemplateProblem
from .base import Mail

_GOOD: Final = re.compile(r"(?:https?://|mailto:|tel:|/(?!/)|\{\{)", re.IGNORECASE)


class AddressBlock(CharBlock):
    """An address: https://…, a path of the shop such as /sale/, or Liquid as {{ cart.url }}."""

    def __init__(self, **options: Any) -> None:
        help_text = gettext_lazy(
            "https://…, a path of the shop such as /sale/, or Liquid such as {{ cart.url }}."
        )
        super().__init__(**{"max_length": 500, "help_text": help_text, **options})

    def clean(self, value: Any) -> Any:
        """Refuse what leads nowhere from a mail, unless a draft is saved.

        Raises:
            ValidationError: With what to write instead.
        """
        cleaned = super().clean(value)
        if cleaned and not self.is_deferred_validation and not _GOOD.match(cleaned.strip()):
            raise ValidationError(_leads_nowhere(cleaned))
        return cleaned


def address(source: str, mail: Mail) -> str:
    """An address of the template, whole: a path gets the shop's address before it.

    Raises:
        TemplateProblem: It leads nowhere.
    """
    source = source.strip()
    if not _GOOD.match(source) or (source.startswith("/") and not mail.brand.url):
        raise TemplateProblem(_leads_nowhere(source))
    return mail.brand.url.rstrip("/") + source if source.startswith("/") else source


def _leads_nowhere(source: str) -> str:
    return _("The link “%(url)s” leads nowhere from a mail. Write it whole, with https://.") % {
        "url": source
    }
