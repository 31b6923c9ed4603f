"""How bodies are read: within the limits of `core.strict_json`, whatever their headers say."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser

from ..core.strict_json import MAX_BYTES, BadJson, loads


class StrictParser(Parser):
    """Reads a JSON body of at most 1 MiB."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The parsed body.

        Raises:
            HttpError: It is too large, or no JSON that is taken.
        """
        body = request.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise HttpError(413, f"The body has more than {MAX_BYTES} bytes.")
        try:
            return loads(body)
        except BadJson as error:
            raise HttpError(400, str(error)) from None
