"""The mail sink: an SMTP server on the loopback interface that keeps what it is given.

Each mail becomes one file, ``000001.eml``, in the order of arrival. Nothing is ever sent on.
"""

from __future__ import annotations

import asyncio
import threading
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from wagtail_triggers.core import clock

#: The moment of arrival by the demo's clock; the Date header tells the real one.
ARRIVED = "X-Demo-Arrived"


class Keep:
    """Handler of aiosmtpd that writes every mail into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.to_thread(self.keep, envelope)
        return "250 Kept in the demo's inbox"

    def keep(self, envelope: Envelope) -> None:
        """Write one mail; it appears under its final name only when it is whole."""
        close_old_connections()
        try:
            arrived = format_datetime(clock.now())
        finally:
            close_old_connections()
        content: Any = envelope.content
        head = (
            f"{ARRIVED}: {arrived}\r\n"
            f"X-Demo-Sender: {envelope.mail_from}\r\n"
            f"X-Demo-Recipients: {', '.join(envelope.rcpt_tos)}\r\n"
        )
        with self._lock:
            number = 1 + max((int(path.stem) for path in self.folder.glob("*.eml")), default=0)
            draft = self.folder / f"{number:06d}.part"
            draft.write_bytes(head.encode() + content)
            draft.rename(draft.with_suffix(".eml"))


def open_sink(folder: Path, port: int) -> Controller:
    """Start the sink in a thread of its own; call ``stop()`` on what is returned."""
    controller = Controller(Keep(folder), hostname="127.0.0.1", port=port)
    controller.start()
    return controller
