"""Hand one mail to an SMTP server, knowing at each moment how far it has gone.

smtplib raises the same `SMTPServerDisconnected` whether the server left before it had read the mail
or after. The difference decides between sending again and perhaps sending twice, so the dialogue is
spoken here, over smtplib's connection.
"""

from __future__ import annotations

import re
import smtplib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .base import Outcome, OutcomeKind

_OK: Final = frozenset({250, 251})
_GO_ON: Final = frozenset({354})
_QUEUED_AS: Final = re.compile(r"queued (?:mail for delivery )?as ([\w.:@<>-]{1,120})", re.I)
#: Lines that begin with a dot get another (RFC 5321, 4.5.2).
_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
#: What may be told of a server's answer: it often repeats addresses.
_ADDRESS: Final = re.compile(r"<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?")
MAX_DETAIL: Final = 200


class LeftTooLate(OSError):
    """The time for this attempt is up."""


@dataclass(slots=True)
class Dialogue:
    """One attempt over an open connection.

    Attributes:
        smtp: The connection.
        timeout: Seconds that one network operation may take.
        deadline: `time.monotonic()` at which the attempt ends.
        sent_all: Whether the final dot has left: from there on, silence means that nobody knows.
    """

    smtp: smtplib.SMTP
    timeout: float
    deadline: float
    sent_all: bool = False

    def hand_over(self, sender: str, recipient: str, data: bytes) -> Outcome:
        """Speak MAIL, RCPT and DATA.

        Args:
            sender: The envelope's sender, ASCII.
            recipient: The one recipient, ASCII.
            data: The mail with CRLF line ends.

        Returns:
            What the server answered.

        Raises:
            OSError: The connection failed; `sent_all` says whether the mail may have arrived.
        """
        self._hurry()
        self.smtp.ehlo_or_helo_if_needed()
        options = [f"size={len(data)}"] if self.smtp.has_extn("size") else []
        steps: list[tuple[Callable[[], tuple[int, bytes]], frozenset[int]]] = [
            (lambda: self.smtp.mail(sender, options), _OK),
            (lambda: self.smtp.rcpt(recipient), _OK),
            (lambda: self.smtp.docmd("DATA"), _GO_ON),
        ]
        for step, good in steps:
            self._hurry()
            code, answer = step()
            if code not in good:
                self._abandon(code)
                return _refusal(code, answer)
        self._send(_with_dots(data))
        self._hurry()
        code, answer = self.smtp.getreply()
        if code == 250:
            return _acceptance(answer)
        if code == -1:  # not an SMTP answer at all
            raise smtplib.SMTPServerDisconnected("The server's last answer cannot be read")
        self._abandon(code)
        return _refusal(code, answer)

    def _send(self, payload: bytes) -> None:
        """Send everything, counting: what did not leave whole cannot have been accepted."""
        view = memoryview(payload)
        while view:
            self._hurry()
            sock = self._socket()
            view = view[sock.send(view[:65536]) :]
        self.sent_all = True

    def _hurry(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise LeftTooLate("The time for this attempt is up")
        self._socket().settimeout(min(self.timeout, left))

    def _socket(self) -> socket.socket:
        if self.smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed")
        return self.smtp.sock

    def _abandon(self, code: int) -> None:
        """Bring the connection back to where the next mail can begin, or close it."""
        try:
            if code == 421 or self.smtp.rset()[0] != 250:
                self.smtp.close()
        except OSError:
            self.smtp.close()


def _with_dots(data: bytes) -> bytes:
    if b"\n." in data or data.startswith(b"."):
        data = _DOT.sub(b"..", data)
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


def _acceptance(answer: bytes) -> Outcome:
    words = answer.decode("utf-8", "replace")
    queued = _QUEUED_AS.search(words)
    return Outcome(
        OutcomeKind.ACCEPTED, provider_id=queued[1].strip("<>") if queued else "", status="queued"
    )


def _refusal(code: int, answer: bytes) -> Outcome:
    """4xx: not now. 5xx: never. Anything else before the dot has not left either."""
    kind = OutcomeKind.REFUSED if 500 <= code <= 599 else OutcomeKind.NEVER_LEFT
    return Outcome(kind, status=str(code), detail=scrubbed(f"SMTP {code} {_words(answer)}"))


def _words(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def scrubbed(detail: str) -> str:
    """A provider's words, fit to be kept: short, on one line, without addresses."""
    return _ADDRESS.sub("<…>", " ".join(detail.split()))[:MAX_DETAIL]
