"""Headers of a mail: built from parts that are clean, or not at all (security.md T11, T13)."""

from __future__ import annotations

import html as html_entities
import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from email.headerregistry import Address
from email.utils import formataddr, parseaddr
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from django.utils.encoding import punycode

from ..exceptions import TriggersError

MAX_HEADER_CHARS: Final = 998
MAX_NAME_CHARS: Final = 200
#: Headers that a message may carry besides those that every mail has.
ALLOWED: Final = frozenset(
    {
        "auto-submitted",
        "feedback-id",
        "in-reply-to",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "precedence",
        "references",
        "x-auto-response-suppress",
        "x-entity-ref-id",
        "x-wt-id",
    }
)
#: Carries the message's public id: what comes back with bounces and in sinks names it.
MARK: Final = "X-WT-Id"

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f.:]+\]")
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9.-]")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
#: Bytes of an encoded word's content, so that the word is at most 75 characters (RFC 2047, 2).
_WORD_BYTES: Final = 45
_LINE_CHARS: Final = 76


class HeaderProblem(TriggersError, ValueError):
    """A header of the message is not safe to send."""


class MarketingMailIncomplete(TriggersError, ValueError):
    """A marketing mail must carry List-Unsubscribe, an unsubscribe link and the postal address."""


def build_headers(
    *,
    marketing: bool,
    unsubscribe_url: str,
    postal_address: str,
    html: str,
    text: str,
    unsubscribe_mailto: str = "",
    extra: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[str, str], ...]:
    """The further headers of a message.

    Args:
        marketing: Its class. A marketing mail is refused unless it is complete.
        unsubscribe_url: The one-click address (RFC 8058).
        postal_address: Where the sender can be reached by post.
        html: The rendered document.
        text: The rendered plain text; both must show the link and the address.
        unsubscribe_mailto: A mailbox that also takes unsubscriptions, or "".
        extra: Further headers; only `ALLOWED` ones.

    Raises:
        MarketingMailIncomplete: Naming everything that is missing, and the fix.
        HeaderProblem: A header is not allowed, or holds a line break.
    """
    headers = [(name, checked_header(name, value)) for name, value in extra]
    if marketing:
        refuse_incomplete(
            unsubscribe_url=unsubscribe_url, postal_address=postal_address, html=html, text=text
        )
        ways = [f"<{unsubscribe_url}>"]
        if unsubscribe_mailto:
            ways.append(f"<mailto:{ascii_address(unsubscribe_mailto)}?subject=unsubscribe>")
        headers += [
            ("List-Unsubscribe", checked_header("List-Unsubscribe", ", ".join(ways))),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    return tuple(headers)


def refuse_incomplete(*, unsubscribe_url: str, postal_address: str, html: str, text: str) -> None:
    """Refuse a marketing mail that the law, or Gmail and Yahoo, would not let pass.

    Raises:
        MarketingMailIncomplete: Naming everything that is missing, and the fix.
    """
    missing = []
    if not _one_click(unsubscribe_url):
        missing.append(
            "an unsubscribe address with https:// (set WAGTAIL_TRIGGERS_BASE_URL to the shop's "
            "public address)"
        )
    lines = [line.strip() for line in postal_address.splitlines() if line.strip()]
    if not lines:
        missing.append("the sender's postal address (set WAGTAIL_TRIGGERS_POSTAL_ADDRESS)")
    for part, content in (("HTML", html_entities.unescape(html)), ("plain text", text)):
        if unsubscribe_url and unsubscribe_url not in content:
            missing.append(
                f"the unsubscribe link in the {part} (write {{{{ links.unsubscribe }}}})"
            )
        if not all(line in content for line in lines):
            missing.append(f"the postal address in the {part}")
    if missing:
        raise MarketingMailIncomplete("A marketing mail lacks " + "; ".join(missing) + ".")


def require_marketing_headers(headers: Iterable[tuple[str, str]]) -> None:
    """The last look before a marketing mail leaves, whoever built its headers.

    Raises:
        MarketingMailIncomplete: The List-Unsubscribe pair is not there.
    """
    present = {name.lower(): value for name, value in headers}
    if (
        not present.get("list-unsubscribe", "").startswith("<")
        or present.get("list-unsubscribe-post") != "List-Unsubscribe=One-Click"
    ):
        raise MarketingMailIncomplete(
            "A marketing mail lacks the headers List-Unsubscribe and List-Unsubscribe-Post. Build "
            "its headers with build_headers(marketing=True, …)."
        )


def _one_click(url: str) -> bool:
    """RFC 8058 wants https; a developer's own machine may do without."""
    if _CONTROL.search(url) or not url.isascii() or any(c in url for c in "<>, "):
        return False
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def checked_header(name: str, value: str) -> str:
    """The value of a further header, as it may be sent.

    Raises:
        HeaderProblem: The name is not allowed, or the value holds a control character, is not
            ASCII, or is too long.
    """
    if name.lower() not in ALLOWED:
        raise HeaderProblem(f"The header {name!r} is not allowed. Allowed: {', '.join(ALLOWED)}.")
    if _CONTROL.search(value) or not value.isascii():
        raise HeaderProblem(f"The header {name} holds a line break or another unsafe character.")
    if len(value) > MAX_HEADER_CHARS - len(name) - 2:
        raise HeaderProblem(f"The header {name} is longer than {MAX_HEADER_CHARS} characters.")
    return value


def checked_message_id(value: str) -> str:
    """The Message-ID as it may be sent.

    Raises:
        HeaderProblem: It is not `<left@right>` in plain characters.
    """
    if not _MESSAGE_ID.fullmatch(value) or len(value) > MAX_NAME_CHARS:
        raise HeaderProblem("The Message-ID is not <id@domain>. Build it with message_id_for().")
    return value


def clean_name(name: str) -> str:
    """A display name without control characters: NFC, one line, at most 200 characters."""
    line = _CONTROL.sub(" ", unicodedata.normalize("NFC", name))
    return " ".join(line.split())[:MAX_NAME_CHARS].rstrip()


def ascii_address(address: str) -> str:
    """An address as SMTP takes it, its domain in punycode.

    Raises:
        HeaderProblem: It is not one plain address: control characters, a name, several addresses,
            or a mailbox that is not ASCII.
    """
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = domain if domain.isascii() else punycode(domain)
    except UnicodeError:
        domain = ""
    if not at or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise HeaderProblem("The address is not a mail address that can be written to.")
    return f"{local}@{domain}"


@lru_cache(maxsize=256)
def split_address(value: str) -> tuple[str, str]:
    """A clean name and an ASCII address out of "Name <a@b.example>"; kept, for senders recur.

    Raises:
        HeaderProblem: It holds no such address.
    """
    if _CONTROL.search(value):
        raise HeaderProblem("An address holds a line break or another control character.")
    name, address = parseaddr(value)
    return clean_name(name), ascii_address(address or value)


def encoded_address(name: str, address: str) -> str:
    """A name and an ASCII address as a header's value, encoded for the wire."""
    name = clean_name(name)
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        return formataddr((name, address))
    return f"{encoded_words(name, used=10)}\r\n <{address}>"


def unicode_address(name: str, address: str) -> str:
    """A name and an ASCII address for backends that encode headers themselves."""
    name = clean_name(name)
    return str(Address(display_name=name, addr_spec=address)) if name else address


def unstructured(text: str, *, used: int) -> str:
    """A subject as a header's value: folded, and encoded where it is not plain ASCII.

    Args:
        text: One line.
        used: Characters that stand before it on the first line ("Subject: ").

    Raises:
        HeaderProblem: It holds a line break or another control character.
    """
    if _CONTROL.search(text):
        raise HeaderProblem("The subject holds a line break or another control character.")
    text = text.strip()
    if not text.isascii() or "=?" in text:
        return encoded_words(text, used=used)
    if used + len(text) <= _LINE_CHARS:
        return text
    lines, line = [], ""
    for word in text.split():
        if line and used + len(line) + 1 + len(word) > _LINE_CHARS:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def encoded_words(text: str, *, used: int) -> str:
    """A text in RFC 2047 encoded words, split between characters.

    Args:
        text: Any text of one line.
        used: Characters that stand before it on the first line.
    """
    words, word = [], b""
    room = _WORD_BYTES - -(-used * 3 // 4)
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if word and len(word) + len(encoded) > room:
            words.append(word)
            word, room = b"", _WORD_BYTES
        word += encoded
    words.append(word)
    return "\r\n ".join(f"=?utf-8?b?{b64encode(one).decode()}?=" for one in words)


def message_id_for(key: str, from_email: str) -> str:
    """The Message-ID of a message, the same in every attempt.

    Args:
        key: The message's public id.
        from_email: The sender; its domain is the id's.

    Raises:
        HeaderProblem: The sender is no address.
    """
    _, address = split_address(from_email)
    domain = address.rpartition("@")[2].strip("[]").replace(":", "-")
    return f"<{_NOT_IN_ID.sub('-', key)}@{domain}>"
