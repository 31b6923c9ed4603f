"""The bytes of a mail, put together by hand because the standard library takes six times as long.

One shape only: `multipart/alternative` of plain text and HTML, both UTF-8. The tests read it back
with the standard library's parser.
"""

from __future__ import annotations

import hashlib
from base64 import encodebytes
from binascii import b2a_qp
from email.utils import formatdate
from typing import Final

from .channels.base import Outgoing
from .headers import (
    MARK,
    ascii_address,
    checked_header,
    checked_message_id,
    encoded_address,
    split_address,
    unstructured,
)

#: Above this share of bytes that quoted-printable would treble, base64 is smaller.
_BASE64_ABOVE: Final = 1 / 6


def build_mail(outgoing: Outgoing) -> bytes:
    """The whole mail with CRLF line ends, ready for DATA.

    Everything but the date is the same in each attempt.

    Raises:
        HeaderProblem: A header or an address is not safe to send.
    """
    name, sender = split_address(outgoing.from_email)
    recipient = encoded_address(outgoing.name, ascii_address(outgoing.address))
    lines = [
        f"Subject: {unstructured(outgoing.subject, used=9)}",
        f"From: {encoded_address(name, sender)}",
        f"To: {recipient}",
        # When it is handed over, which decides nothing: the wall clock will do.
        f"Date: {formatdate()}",
    ]
    if outgoing.message_id:
        lines.append(f"Message-ID: {checked_message_id(outgoing.message_id)}")
    if outgoing.reply_to:
        lines.append(f"Reply-To: {encoded_address(*split_address(outgoing.reply_to))}")
    if outgoing.idempotency_key:
        lines.append(f"{MARK}: {checked_header(MARK, outgoing.idempotency_key)}")
    lines += [f"{name}: {checked_header(name, value)}" for name, value in outgoing.headers]
    lines.append("MIME-Version: 1.0")
    return _bodies("\r\n".join(lines).encode("ascii"), outgoing)


def _bodies(head: bytes, outgoing: Outgoing) -> bytes:
    text = _part(b"plain", outgoing.text)
    if not outgoing.html:
        return b"%s\r\n%s\r\n" % (head, text)
    # "=_" occurs neither in quoted-printable nor in base64, so no body can hold the boundary.
    mark = hashlib.sha256(outgoing.message_id.encode()).hexdigest()[:32].encode()
    return b"".join(
        (
            head,
            b'\r\nContent-Type: multipart/alternative;\r\n boundary="=_wt_',
            mark,
            b'"\r\n\r\n--=_wt_',
            mark,
            b"\r\n",
            text,
            b"\r\n--=_wt_",
            mark,
            b"\r\n",
            _part(b"html", outgoing.html),
            b"\r\n--=_wt_",
            mark,
            b"--\r\n",
        )
    )


def _part(subtype: bytes, content: str) -> bytes:
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    data = content.encode("utf-8", "replace")
    # A character takes up to four bytes, and each of those three characters in quoted-printable.
    if not content.isascii() and len(data) - len(content) > len(data) * _BASE64_ABOVE:
        encoding, body = b"base64", encodebytes(data.replace(b"\n", b"\r\n"))
    else:
        encoding, body = b"quoted-printable", b2a_qp(data, istext=True)
    # Only now: the soft breaks of a text without CRLF are LF.
    body = body.replace(b"\n", b"\r\n")
    return b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: %s\r\n\r\n%s' % (
        subtype,
        encoding,
        body,
    )
