"""What can go wrong between us and Saleor."""

from __future__ import annotations

from ...exceptions import TriggersError


class SaleorError(TriggersError):
    """Saleor could not be understood."""


class SaleorUnavailable(SaleorError):
    """Saleor did not answer; it may answer later."""

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SaleorUncertain(SaleorUnavailable):
    """Saleor may or may not have done what it was asked."""


class SaleorRefused(SaleorError):
    """Saleor refused what it was asked. The message has its words."""


class NotInstalled(SaleorError):
    """This Saleor instance has not installed the app. Install it from its manifest first."""


class Forged(SaleorError):
    """The signature is not Saleor's."""


class KeysUnavailable(SaleorError):
    """Saleor's public keys cannot be fetched just now."""


class Unreadable(SaleorError, ValueError):
    """The body is not what a webhook of Saleor carries."""
