"""A provider on loopback that knows idempotency keys, and writes down what it delivered.

`python -m tests.chaos.sink LOG PAUSE` prints its port and serves until its standard input ends. Its
log, one JSON object per delivery, is the only truth about what reached a person. It answers up to
PAUSE seconds after it has delivered, so that a worker can die in between.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Sink(ThreadingHTTPServer):
    """Takes messages by POST."""

    daemon_threads = True

    def __init__(self, log: Path, pause: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.log = log.open("a", encoding="utf-8")
        self.pause = pause
        self.lock = threading.Lock()
        self.known: set[str] = set()

    def deliver(self, key: str, message: str) -> bool:
        """Deliver unless the key is known; says whether it did."""
        with self.lock:
            if key and key in self.known:
                return False
            self.known.add(key)
            self.log.write(json.dumps({"message": message}) + "\n")
            self.log.flush()
            return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed does not wait for its answer."""


class Handler(BaseHTTPRequestHandler):
    """One message."""

    server: Sink

    def do_POST(self) -> None:
        """Deliver, think, answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers.get("Idempotency-Key", "")
        fresh = self.server.deliver(key, self.headers["X-Message"])
        time.sleep(random.uniform(0.3, 1.0) * self.server.pause)
        self.send_response(201 if fresh else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The log of deliveries is enough."""


def deliveries(log: Path) -> list[str]:
    """The messages that the log tells of, as often as each was delivered."""
    return [json.loads(line)["message"] for line in log.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Serve until standard input ends."""
    sink = Sink(Path(sys.argv[1]), float(sys.argv[2]))
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    print(sink.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
