"""Who calls: a bearer token, or a Standard Webhooks signature."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer

from .models import ApiToken, Scope
from .tokens import find, take


class Busy(Exception):
    """The caller has used up its limit of this minute."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = max(1, round(seconds))


class Bearer(HttpBearer):
    """`Authorization: Bearer wtt_…` with a scope."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token's row; None makes the answer 401.

        Raises:
            HttpError: The token is good, and may not do this.
        """
        row = find(token)
        if row is None:
            return None
        if self.scope not in row.scopes:
            raise HttpError(403, f"This token lacks the scope {self.scope.value}.")
        return row


def count(request: Any, number: int) -> ApiToken:
    """Count entries against the caller's limit; return its token.

    Raises:
        Busy: It is used up.
    """
    row: ApiToken = request.auth
    seconds = take(row, number)
    if seconds:
        raise Busy(seconds)
    return row
