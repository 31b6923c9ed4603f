"""An SMTP server that counts who got how many mails; driven over standard input.

`python -m tests.benchmarks.sink PORT` answers each line with one line of JSON:
`forget` empties it, `wait N SECONDS` returns once N mails are there or the time is over, `last`
gives the newest mail, `mail ADDRESS SECONDS` waits for one to somebody and tells when it came.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_HOST = "127.0.0.1"


class Counting:
    """What aiosmtpd calls for each mail."""

    def __init__(self) -> None:
        self.arrived = threading.Condition()
        self.received: Counter[str] = Counter()
        self.last_at = 0.0
        self.came: dict[str, float] = {}
        self.newest = b""
        self.size = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer what every mail server of today does, and aiosmtpd does without saying so."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Count a mail; the body is kept only for a look at it."""
        with self.arrived:
            self.received.update(envelope.rcpt_tos)
            self.newest = envelope.content
            self.size += len(envelope.content)
            # One clock for all processes of the machine.
            self.last_at = time.monotonic()
            self.came |= dict.fromkeys(envelope.rcpt_tos, self.last_at)
            self.arrived.notify_all()
        return "250 OK"

    def answer(self, line: str) -> dict[str, Any]:
        """Do what a line of the driver says."""
        verb, *words = line.split()
        with self.arrived:
            if verb == "forget":
                self.received.clear()
                self.size = 0
            elif verb == "wait":
                number, seconds = int(words[0]), float(words[1])
                self.arrived.wait_for(lambda: self.received.total() >= number, seconds)
            elif verb == "mail":
                self.arrived.wait_for(lambda: words[0] in self.came, float(words[1]))
                return {"at": self.came.pop(words[0], None)}
            elif verb == "last":
                return {"mail": self.newest.decode("ascii", "replace")}
            return {"received": self.received, "last_at": self.last_at, "bytes": self.size}


def serve(port: int) -> None:
    """Serve until standard input ends."""
    from aiosmtpd.controller import Controller

    counting = Counting()
    controller = Controller(counting, hostname=_HOST, port=port)
    controller.start()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(counting.answer(line)), flush=True)
    controller.stop()


class Sink:
    """The driver's end of a running sink."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line and read the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if line:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def running(port: int) -> Iterator[Sink]:
    """Start a sink in a process of its own; ends it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.sink", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        sink = Sink(process)
        sink.ask("")
        yield sink
    finally:
        # The end of its input ends it, also when we are killed.
        process.communicate()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
