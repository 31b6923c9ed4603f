"""The child that renders templates, with a spy at every door out of Python: its audit events."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Mapping
from typing import Any

from wagtail_triggers.messages import isolated_child

#: What no template has to do with. Files that Python, Babel or the time zones read are theirs.
WATCHED = ("open", "socket.", "subprocess.", "os.", "shutil.", "ctypes.", "exec", "import")
OWN = (".dat", ".mo", "/zoneinfo/", ".py", ".pyc", "locale-data", "/proc/self")
_seen: list[str] = []
_cook = isolated_child.cook


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith(WATCHED):
        return
    first = str(arguments[0]) if arguments else ""
    if event in {"import", "exec", "os.listdir", "os.scandir"}:
        return
    if not any(part in first for part in OWN):
        _seen.append(f"{event} {first}")


def cook(request: Mapping[str, Any]) -> dict[str, Any]:
    """Render, and add what was opened meanwhile."""
    _seen.clear()
    if request["parts"][0][0] == "spy":
        open("/etc/hostname", encoding="utf-8").close()
        with contextlib.suppress(OSError), socket.socket() as made:
            made.settimeout(0.1)
            made.connect(("127.0.0.1", 9))
    answer = _cook(request)
    if _seen:
        answer.setdefault("texts", {})["opened"] = "; ".join(_seen)
    return answer


if __name__ == "__main__":
    isolated_child.cook = cook
    sys.addaudithook(_heard)
    isolated_child.main(sys.argv[1])
