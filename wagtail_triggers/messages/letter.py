"""Render a frozen template version from a kept context: the same bytes, whenever it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from ..exceptions import TemplateProblem
from .compile import Compiled
from .models import TemplateVersion
from .render import Rendered, render


def letter(version: TemplateVersion, context: Mapping[str, Any]) -> Rendered:
    """Render what one person gets; a retry and "as it was sent" come by here too.

    Args:
        version: The frozen template.
        context: As `messages.context` makes it; it also says in which time zone times are shown.

    Raises:
        TriggersError: It cannot be rendered, or it is no mail at all.
    """
    if not version.html:
        raise TemplateProblem(
            _(
                "The template has no mail, only texts for other channels. Write one and publish it,"
                " or send it over one of those."
            )
        )
    return render(
        Compiled(version.subject, version.preheader, version.html, version.text),
        context,
        language=version.language,
        time_zone=context.get("time_zone") or "UTC",
    )


def digest(rendered: Rendered) -> str:
    """The hash that the ledger keeps of a letter, to know it again."""
    whole = "\0".join((rendered.subject, rendered.html, rendered.text))
    return hashlib.sha256(whole.encode()).hexdigest()
