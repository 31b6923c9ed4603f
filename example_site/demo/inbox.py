"""Reading what the sink has kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from .sink import ARRIVED


@dataclass(frozen=True)
class Mail:
    """One mail, as a person sees it."""

    number: int
    subject: str
    sender: str
    to: str
    arrived: datetime | None
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]


def folder() -> Path:
    """Return the folder of the sink."""
    return Path(settings.VAR) / "mail"


def numbers() -> list[int]:
    """Return the numbers of all mails, newest first."""
    return sorted((int(path.stem) for path in folder().glob("*.eml")), reverse=True)


def mails(limit: int = 100) -> list[Mail]:
    """Return the newest mails, newest first."""
    return [read(str(folder() / f"{number:06d}.eml")) for number in numbers()[:limit]]


def mail(number: int) -> Mail | None:
    """Return one mail, or None where there is none of that number."""
    path = folder() / f"{number:06d}.eml"
    return read(str(path)) if path.exists() else None


@lru_cache(maxsize=256)
def read(path: str) -> Mail:
    """Read a file of the sink. Mails never change, so each is parsed once."""
    message = message_from_bytes(Path(path).read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    arrived = str(message.get(ARRIVED, ""))
    return Mail(
        number=int(Path(path).stem),
        subject=str(message.get("Subject", "(no subject)")),
        sender=str(message.get("From", "")),
        to=str(message.get("To", "")),
        arrived=parsedate_to_datetime(arrived) if arrived else None,
        html=_body(message, "html"),
        text=_body(message, "plain"),
        headers=tuple((name, str(value)) for name, value in message.items()),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
