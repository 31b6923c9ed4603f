"""Kombu's folders for a broker, made safe to read while they are written.

Kombu creates a message's file first and fills it afterwards. A worker that looks in between reads
nothing, and ends with a JSONDecodeError (celery/kombu#1551); a busy demonstration met that within
minutes. Here a file gets its final name only once it is whole.
"""

from __future__ import annotations

import fcntl
import json
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps as _dumps


def dumps(value: Any) -> str:
    """Write JSON as Kombu does: messages hold more than JSON knows."""
    return str(_dumps(value))  # type: ignore[no-untyped-call]


def _write_whole(path: Path, content: str) -> None:
    """Write a file under another name and rename it: readers see all of it or nothing."""
    draft = path.with_name(f".{uuid.uuid4().hex}.draft")
    draft.write_text(content, encoding="utf-8")
    draft.rename(path)


class Channel(filesystem.Channel):
    """Kombu's channel with whole files."""

    # Kombu's own two classes disagree on the second argument's name.
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        path: Path = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
        path.parent.mkdir(parents=True, exist_ok=True)
        wanted = [routing_key or "", pattern or "", queue or ""]
        with (path.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
            if wanted not in table:
                _write_whole(path, dumps([wanted, *table]))


class Transport(filesystem.Transport):
    """Kombu's transport over that channel."""

    Channel = Channel
