"""Hand one mail to an SMTP server, knowing at each moment how far it has gone.

smtplib raises the same `SMTPServerDisconnected` whether the server left before it had read the mail
or after. The difference decides between sending again and perhaps sending twice, so the dialogue is
spoken here, over smtplib's connection.

A server that offers PIPELINING (RFC 2920) gets MAIL, RCPT and DATA in one piece and answers them in
one; and where the next mail is known, its envelope travels with the end of the one before. So there
is one wait for each mail instead of four. The mail itself still leaves only once all three were
taken, so that nothing changes about what is known at each moment; an envelope of which no mail
follows is given up by closing the connection, since a dot would make a mail of it.
"""

from __future__ import annotations

import re
import smtplib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .base import Outcome, OutcomeKind

_OK: Final = frozenset({250, 251})
_GO_ON: Final = frozenset({354})
#: What MAIL, RCPT and DATA are answered with where the mail is welcome.
_GOOD: Final = (_OK, _OK, _GO_ON)
_QUEUED_AS: Final = re.compile(r"queued (?:mail for delivery )?as ([\w.:@<>-]{1,120})", re.I)
#: What may be told of a server's answer: it often repeats addresses.
_ADDRESS: Final = re.compile(r"<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?")
MAX_DETAIL: Final = 200


class LeftTooLate(OSError):
    """The time for this attempt is up."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends a mail of which size to whom: both addresses in ASCII."""

    sender: str
    recipient: str
    size: int


@dataclass(slots=True)
class Dialogue:
    """One attempt over an open connection.

    Attributes:
        smtp: The connection.
        timeout: Seconds that one network operation may take.
        deadline: `time.monotonic()` at which the attempt ends.
        sent_all: Whether the final dot has left: from there on, silence means that nobody knows.
        opened: The envelope that the server has been told and of which it awaits the mail: before
            the attempt the last one's `then`, after it the one that was given.
    """

    smtp: smtplib.SMTP
    timeout: float
    deadline: float
    sent_all: bool = False
    opened: Envelope | None = None

    def hand_over(self, envelope: Envelope, data: bytes, then: Envelope | None = None) -> Outcome:
        """Speak MAIL, RCPT and DATA.

        Args:
            envelope: This mail's; nothing is said of it where it is `opened` already.
            data: The mail with CRLF line ends.
            then: The next mail's, if it is known: told with the end of this one.

        Returns:
            What the server answered.

        Raises:
            OSError: The connection failed; `sent_all` says whether the mail may have arrived.
        """
        told, self.opened = self.opened, None
        self._hurry()
        self.smtp.ehlo_or_helo_if_needed()
        at_once = self.smtp.has_extn("pipelining")
        if told is not None:
            refused = self._answers()
        elif at_once:
            self._send(self._in_one_piece(envelope))
            refused = self._answers()
        else:
            refused = self._ask(self._commands(envelope))
        if refused is not None:
            return refused
        ahead = self._in_one_piece(then) if then is not None and at_once else b""
        self._send(_with_dots(data) + ahead, behind_the_dot=len(ahead))
        self.opened = then if ahead else None
        self._hurry()
        code, answer = self.smtp.getreply()
        if code == 250:
            return _acceptance(answer)
        if code == -1:  # not an SMTP answer at all
            raise smtplib.SMTPServerDisconnected("The server's last answer cannot be read")
        if code == 421 or not ahead:
            self._abandon(code)
        return _refusal(code, answer)

    def _commands(self, envelope: Envelope) -> tuple[str, str, str]:
        size = f" size={envelope.size}" if self.smtp.has_extn("size") else ""
        return (
            f"MAIL FROM:{smtplib.quoteaddr(envelope.sender)}{size}",
            f"RCPT TO:{smtplib.quoteaddr(envelope.recipient)}",
            "DATA",
        )

    def _in_one_piece(self, envelope: Envelope) -> bytes:
        commands = self._commands(envelope)
        whole = "\r\n".join(commands)
        if "\r" in "".join(commands) or whole.count("\n") != len(commands) - 1:
            raise ValueError("A command of one line holds a line break.")
        return f"{whole}\r\n".encode("ascii")

    def _ask(self, commands: Sequence[str]) -> Outcome | None:
        """Say what is said before the mail, each after the answer to the last; None if all went."""
        for command, good in zip(commands, _GOOD, strict=True):
            self._hurry()
            self.smtp.putcmd(command)
            code, answer = self.smtp.getreply()
            if code not in good:
                self._abandon(code)
                return _refusal(code, answer)
        return None

    def _answers(self) -> Outcome | None:
        """Hear what is said to an envelope that was told in one piece; None if all went.

        After a refusal the server may still say that it waits for the mail. It gets none, nor the
        dot that would end one: the connection is closed.
        """
        refused: tuple[int, bytes] | None = None
        try:
            for good in _GOOD:
                self._hurry()
                code, answer = self.smtp.getreply()
                if refused is None and code not in good:
                    refused = code, answer
                if code == 421:
                    break
        except OSError:
            if refused is None:
                raise
            self.smtp.close()
        if refused is None:
            return None
        if code in _GO_ON:
            self.smtp.close()
        elif self.smtp.sock is not None:
            self._abandon(code)
        return _refusal(*refused)

    def _send(self, payload: bytes, behind_the_dot: int | None = None) -> None:
        """Send everything, counting: what did not leave whole cannot have been accepted.

        Args:
            behind_the_dot: Bytes that follow the mail's end; None where there is no mail.
        """
        view = memoryview(payload)
        while view:
            self._hurry()
            sock = self._socket()
            view = view[sock.send(view[:65536]) :]
            if behind_the_dot is not None and len(view) <= behind_the_dot:
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
    # Lines that begin with a dot get another (RFC 5321, 4.5.2).
    if data.startswith(b"."):
        data = b"." + data
    data = data.replace(b"\n.", b"\n..")
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
