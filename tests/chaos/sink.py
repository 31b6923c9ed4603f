"""A provider on loopback that writes down what it delivered, and fails by a script.

Its log, one JSON object per request, is the only truth about what reached a person. A request with
an `Idempotency-Key` that it knows is answered and not delivered again; `GET /KEY` says whether a
message was delivered.

`POST /` takes a message as `SinkChannel` sends it, `POST /emails` as Resend's interface does, and
`PUT /` a new script.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Whether a fault delivers the message all the same.
FAULTS = {
    "429": False, "429 late": False, "503": False, "500": False, "500 taken": True,
    "stall": True, "reset": True, "slow": True, "dropped": False,
}  # fmt: skip


class Server(ThreadingHTTPServer):
    """Takes messages."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, log: Path, seed: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.log = log.open("a", encoding="utf-8")
        self.lock = threading.Lock()
        self.delivered: set[str] = set()
        self.chance = random.Random(seed)
        self.script: dict[str, Any] = {}

    def take(self, key: str, idempotency_key: str, about: Mapping[str, str]) -> str:
        """Write the request down, deliver it or not; the fault to show."""
        with self.lock:
            fault = self._fault()
            again = bool(idempotency_key) and idempotency_key in self.delivered
            delivers = not again and FAULTS.get(fault, True)
            if delivers:
                self.delivered.add(key)
            line = {"at": time.monotonic(), "message": key, "fault": fault, "delivered": delivers}
            self.log.write(json.dumps({**line, **about}) + "\n")
            self.log.flush()
            return fault

    def _fault(self) -> str:
        roll = self.chance.random()
        for name, share in self.script.get("faults", {}).items():
            roll -= share
            if roll < 0:
                return str(name)
        return ""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed does not wait for its answer."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say whether a message was delivered."""
        with self.server.lock:
            known = self.path[1:] in self.server.delivered
        self._answer(200 if known else 404)

    def do_PUT(self) -> None:
        """A new script."""
        self.server.script = json.loads(self._body())
        self._answer(200)

    def do_POST(self) -> None:
        """Take a message, think, answer."""
        body = self._body()
        if self.path == "/emails":  # as Resend's interface
            key = json.loads(body)["headers"]["X-WT-Id"]
            about = {"to": json.loads(body)["to"][0]}
        else:
            key = self.headers["X-Message"]
            about = {"to": self.headers["X-Address"], "class": self.headers["X-Class"]}
        fault = self.server.take(key, self.headers.get("Idempotency-Key", ""), about)
        script = self.server.script
        if fault == "dropped":
            self._reset()
            return
        time.sleep(random.uniform(0.3, 1.0) * script.get("pause", 0.0))
        if fault == "429 late":
            time.sleep(script.get("slow", 0.5))
        if fault == "reset":
            self._reset()
        elif fault == "stall":
            time.sleep(script.get("stall", 3.0))
            self._reset()
        elif fault == "slow":
            time.sleep(script.get("slow", 0.5))
            self._answer(201, key)
        elif fault[:3].isdigit():
            wait = script.get("retry_after") if fault[:3] in ("429", "503") else None
            self._answer(int(fault[:3]), key, wait)
        else:
            self._answer(201, key)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, key: str = "", retry_after: float | None = None) -> None:
        body = json.dumps({"id": key}).encode()
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """The log of requests is enough."""


def serve(port: int, log: str, seed: int) -> None:
    """Serve until killed."""
    Server(port, Path(log), seed).serve_forever()


@dataclass
class Sink:
    """A running sink, as its run sees it."""

    port: int
    log: Path
    script: dict[str, Any] = field(default_factory=dict)

    def perform(self, **script: Any) -> None:
        """Change the script: `pause`, `stall`, `slow`, `retry_after` in seconds, `faults` as
        shares by name (`FAULTS`).
        """
        line = HTTPConnection("127.0.0.1", self.port, timeout=10)
        line.request("PUT", "/", body=json.dumps(script).encode())
        line.getresponse().read()
        line.close()

    def wait(self) -> None:
        """Wait until it listens."""
        for _try in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.025)
        raise RuntimeError("The sink did not start.")

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far, in order."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def deliveries(self) -> Counter[str]:
        """How often each message was delivered."""
        return Counter(one["message"] for one in self.requests() if one["delivered"])
