"""The only outbound HTTP client. It asks once, waits for seconds, and says what is known after it.

A name is resolved once and judged (`core.egress`); the connection goes to exactly that address,
with the name in `Host` and in TLS. No redirect is followed and no proxy of the environment is
used. A connection is never used twice: it was made for one name.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from ssl import SSLContext
from threading import Timer
from typing import Any, Final

import httpx

from ..conf import settings
from ..exceptions import ConfigurationError
from .egress import Address, Forbidden, Policy, Target, parse, resolve

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 10.0
MAX_REQUEST: Final = 1024 * 1024
MAX_RESPONSE: Final = 256 * 1024
#: Of what came back, this much is shown to people.
SHOWN: Final = 200
#: Addresses of one host that are tried, one after the other.
MAX_ADDRESSES: Final = 3
#: The longest wait that somebody else may ask of us.
LONGEST_RETRY_AFTER: Final = 86_400.0

#: Our key is not known yet, the request did not arrive whole, or there were too many.
_LATER: Final = frozenset({401, 408, 425, 429})
_CONFLICT: Final = 409
_UNAVAILABLE: Final = 503


class Fate(StrEnum):
    """What is known after one attempt; the same four words as a channel's outcome."""

    #: It was taken.
    ACCEPTED = "accepted"
    #: It certainly had no effect: try again later.
    NEVER_LEFT = "never_left"
    #: It will not be taken, now or later.
    REFUSED = "refused"
    #: Nobody knows whether it had an effect.
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one request.

    Attributes:
        fate: Which of the four.
        status: The HTTP status, or 0 where no answer came.
        body: What came back, at most `MAX_RESPONSE` bytes; not unpacked.
        headers: The answer's, by lower-case name.
        detail: Why, for staff; at most the first 200 characters of an answer.
        retry_after: Seconds that the other side asked to wait, or None.
    """

    fate: Fate
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""
    retry_after: float | None = None


def policy() -> Policy:
    """What may be reached, by the setting `WAGTAIL_TRIGGERS_EGRESS_ALLOW`.

    Raises:
        ConfigurationError: An entry of it is wrong.
    """
    try:
        return Policy(settings.EGRESS_ALLOW)
    except ValueError as error:
        raise ConfigurationError(f"WAGTAIL_TRIGGERS_EGRESS_ALLOW: {error}") from error


def request(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    total: float = TOTAL_SECONDS,
) -> Reply:
    """Send one request and wait for the answer; never inside a transaction.

    Args:
        method: "POST", "GET" …
        url: Where to; https unless the host is allowed by the setting.
        body: At most 1 MiB.
        headers: Further headers.
        total: Seconds after which the attempt has ended, whatever the other side does.

    Returns:
        What is known afterwards. A fault of the network or of the other side is no exception.

    Raises:
        ConfigurationError: `WAGTAIL_TRIGGERS_EGRESS_ALLOW` is wrong.
    """
    ends = time.monotonic() + total
    if len(body) > MAX_REQUEST:
        return Reply(Fate.REFUSED, detail=f"{len(body)} bytes are more than the 1 MiB allowed.")
    try:
        target = parse(url)
        rules = policy()
        rules.judge_form(target)
        addresses = resolve(target.host, target.port, min(CONNECT_SECONDS, total))
        rules.judge(target, addresses)
    except Forbidden as error:
        return Reply(Fate.REFUSED, detail=str(error))
    except OSError as error:
        return Reply(Fate.NEVER_LEFT, detail=str(error))
    reply = Reply(Fate.NEVER_LEFT, detail=f"There was no time to connect to {target.host}.")
    for address in addresses[:MAX_ADDRESSES]:
        left = ends - time.monotonic()
        if left <= 0:
            break
        reply, begun = _Attempt(method, target, address, body, headers or {}).carry_out(left)
        if begun:
            break  # a second address would be a second request
    return reply


class _Attempt:
    """One connection to one address."""

    def __init__(
        self, method: str, target: Target, address: Address, body: bytes, headers: Mapping[str, str]
    ) -> None:
        self.method, self.target, self.body = method, target, body
        self.url = httpx.URL(
            scheme=target.scheme,
            host=str(address),
            port=target.port,
            raw_path=target.path.encode(),
        )
        self.headers = {
            "User-Agent": "wagtail-triggers",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
            "Host": target.netloc,
        }
        #: Whether anything of the request may have left.
        self.begun = False
        self._cut = False
        self._stream: Any = None

    def carry_out(self, seconds: float) -> tuple[Reply, bool]:
        """Send it and wait; also says whether anything of it may have left."""
        # Timeouts of the socket bound each single read. A server that sends a byte now and then
        # would hold us for hours; the timer does not ask it.
        timer = Timer(seconds, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            reply = self._exchange(seconds)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            reply = self._fault(error, seconds)
        finally:
            timer.cancel()
        return reply, self.begun

    def _fault(self, error: Exception, seconds: float) -> Reply:
        words = f"{type(error).__name__}: {error}"
        if self._cut:
            words = f"No answer of {self.target.host} within {seconds:.0f} s."
        return Reply(Fate.AMBIGUOUS if self.begun else Fate.NEVER_LEFT, detail=words[:SHOWN])

    def _exchange(self, seconds: float) -> Reply:
        limits = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        client = httpx.Client(
            verify=ssl_context(), trust_env=False, follow_redirects=False, timeout=limits
        )
        extensions = {"sni_hostname": self.target.host, "trace": self._trace}
        with (
            client,
            client.stream(
                self.method,
                self.url,
                content=self.body,
                headers=self.headers,
                extensions=extensions,
            ) as response,
        ):
            body = _read(response)
            found = {name.lower(): value for name, value in response.headers.items()}
            return _reply(response.status_code, found, body)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]
            if self._cut:
                self._hang_up()
        elif event == "http11.send_request_headers.started":
            self.begun = True

    def _hang_up(self) -> None:
        """End the connection under whoever reads from it."""
        self._cut = True
        sock = self._stream.get_extra_info("socket") if self._stream is not None else None
        if sock is not None:
            try:
                # Not SSLSocket's own, which would take the session from under the reader.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself


@lru_cache(maxsize=1)
def ssl_context() -> SSLContext:
    """How servers are checked: by certifi's list, or by `SSL_CERT_FILE` and `SSL_CERT_DIR`."""
    context: SSLContext = httpx.create_ssl_context(trust_env=True)
    return context


def _read(response: httpx.Response) -> bytes:
    """As much of the answer as is wanted. Its head came, so a fault here changes nothing."""
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in response.iter_raw():
            parts.append(chunk)
            size += len(chunk)
            if size >= MAX_RESPONSE:
                break
    except (httpx.HTTPError, httpx.StreamError, OSError):
        parts.append(b" [cut]")
    return b"".join(parts)[:MAX_RESPONSE]


def _reply(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    wait = retry_after(headers)
    shown = body[: SHOWN * 4].decode("utf-8", "replace").strip()[:SHOWN]
    detail = f"HTTP {status} {shown}".strip()
    if 300 <= status <= 399:
        detail = f"HTTP {status}: redirects are not followed. Give the final address."
    return Reply(_fate(status, wait), status, body, headers, detail, wait)


def _fate(status: int, wait: float | None) -> Fate:
    if 200 <= status <= 299:
        return Fate.ACCEPTED
    if status in _LATER or (status == _UNAVAILABLE and wait is not None):
        return Fate.NEVER_LEFT
    if 300 <= status <= 499 and status != _CONFLICT:
        return Fate.REFUSED
    return Fate.AMBIGUOUS


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the other side asks to wait; header names in either case.

    A date is read against the answer's own Date, so that no clock of ours comes into it.
    """
    named = {name.lower(): value for name, value in headers.items()}
    value = (named.get("retry-after") or "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            now = parsedate_to_datetime(named.get("date") or "")
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER) if seconds == seconds else None
