"""Pictures of Wagtail's library as a mail can show them: scaled, with a whole address."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urljoin

logger = logging.getLogger("wagtail_triggers.pictures")


def rendition_url(image: Any, spec: str, base_url: str) -> str:
    """The whole address of a scaled picture.

    Args:
        image: An image of the project's image model.
        spec: What Wagtail calls a filter, for example "width-1120".
        base_url: The shop's address, where the storage gives none of its own.

    Returns:
        The address; "" where the file is gone or cannot be scaled: the mail does without it.
    """
    try:
        rendition = image.get_rendition(spec)
    except Exception:  # whatever a storage or an image library raises: a mail needs no picture
        logger.warning("The picture %s cannot be scaled for a mail", image.pk, exc_info=True)
        return ""
    address = urljoin(base_url + "/", rendition.url)
    return address if address.startswith(("https://", "http://")) else ""
