"""What an exception of a mail backend says about the mail: did it leave? (engine.md, Messages)

Providers' libraries are told by the names of their exceptions: none of them needs to be installed,
and none is imported here.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...core.http import retry_after
from .base import Outcome, OutcomeKind
from .smtp import scrubbed

#: Raised before a connection stood: by urllib3, requests, httpx, botocore.
_BEFORE_CONNECTION: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "ConnectTimeoutError",
        "EndpointConnectionError",
        "NameResolutionError",
        "NewConnectionError",
        "NoCredentialsError",
        "PoolTimeout",
        "SSLCertVerificationError",
    }
)
#: Raised by anymail while it builds the request: the mail is not one that this provider can take.
_UNBUILDABLE: Final = frozenset(
    {
        "AnymailCancelSend",
        "AnymailInvalidAddress",
        "AnymailRecipientsRefused",
        "AnymailSerializationError",
        "AnymailUnsupportedFeature",
    }
)
#: AWS answers "slow down" as a 400.
_THROTTLED: Final = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException"})
_UNAVAILABLE: Final = 503
#: Our key is wrong, the request did not arrive whole, or there were too many: a later one may pass.
_TRY_AGAIN: Final = frozenset({401, 408, 425, 429})
#: Another request with the same idempotency key is being worked on.
_CONFLICT: Final = 409


def classify(error: BaseException, *, connected: bool = True) -> Outcome:
    """The outcome that an exception means.

    Args:
        error: What the backend raised.
        connected: Whether the connection stood before.
    """
    detail = scrubbed(f"{type(error).__name__}: {_first_line(error)}")
    if not connected:
        return Outcome(OutcomeKind.NEVER_LEFT, detail=detail)
    status = _status(error)
    if status is not None:
        return _of_http(status, error, detail)
    if isinstance(error, smtplib.SMTPException):
        return Outcome(_of_smtp(error), detail=detail)
    names = _names(error)
    if "ImproperlyConfigured" in names:
        return Outcome(OutcomeKind.NEVER_LEFT, detail=detail)
    if names & _UNBUILDABLE or isinstance(error, UnicodeError):
        return Outcome(OutcomeKind.REFUSED, detail=detail)
    if any(_before_connection(one) for one in _chain(error)):
        return Outcome(OutcomeKind.NEVER_LEFT, detail=detail)
    return Outcome(OutcomeKind.AMBIGUOUS, detail=detail)


def _first_line(error: BaseException) -> str:
    # The rest of an anymail error quotes the request and the answer, bodies included.
    return str(error.args[0] if error.args else "").split("\n", 1)[0]


def _names(error: BaseException) -> set[str]:
    return {one.__name__ for one in type(error).__mro__}


def _before_connection(error: BaseException) -> bool:
    return isinstance(
        error, socket.gaierror | ConnectionRefusedError | ssl.SSLCertVerificationError
    ) or bool(_names(error) & _BEFORE_CONNECTION)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception with all that it holds: causes, contexts, reasons and arguments."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _of_smtp(error: smtplib.SMTPException) -> OutcomeKind:
    """Smtplib's exceptions, for backends whose dialogue is not ours."""
    before_mail = (
        smtplib.SMTPConnectError,
        smtplib.SMTPHeloError,
        smtplib.SMTPAuthenticationError,
        smtplib.SMTPNotSupportedError,
    )
    if isinstance(error, before_mail):
        return OutcomeKind.NEVER_LEFT
    codes: list[int] = []
    if isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    if not codes or any(code < 400 for code in codes):
        return OutcomeKind.AMBIGUOUS
    refused = all(500 <= code <= 599 for code in codes)
    return OutcomeKind.REFUSED if refused else OutcomeKind.NEVER_LEFT


def _status(error: BaseException) -> int | None:
    """The HTTP status of the provider's answer, where there was one."""
    status = getattr(error, "status_code", None)
    response = getattr(error, "response", None)
    if status is None and isinstance(response, Mapping):  # botocore
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status if isinstance(status, int) else None


def _of_http(status: int, error: BaseException, detail: str) -> Outcome:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    wait = retry_after(headers)
    code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None
    later = status in _TRY_AGAIN or (status == _UNAVAILABLE and wait is not None)
    if later or code in _THROTTLED:
        kind = OutcomeKind.NEVER_LEFT
    elif 400 <= status <= 499 and status != _CONFLICT:
        kind = OutcomeKind.REFUSED
    else:
        # 2xx with an answer that cannot be read, 409, 500, 502, 504: it may have been taken.
        kind = OutcomeKind.AMBIGUOUS
    return Outcome(kind, status=str(status), detail=f"HTTP {status} {detail}", retry_after=wait)
