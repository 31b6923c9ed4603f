"""A Saleor in small: keys, and GraphQL answered by what a question asks for.

It knows vouchers by itself, since they are made here; all else is answered from `answers`, by a
word of the question. What it was asked stands in `asked`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class FakeSaleor:
    """What it says, and what it was asked."""

    api_url: str = ""
    token: str = "lab-token"
    jwks: dict[str, Any] = field(default_factory=lambda: {"keys": []})
    jwks_status: int = 200
    jwks_asked: int = 0
    #: Data by a word that stands in the question; the first that fits.
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    #: Statuses (with headers) to answer with before anything else.
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    #: Close the connection after the next so many mutations were carried out.
    cut: int = 0
    vouchers: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The `data` of a question, or its errors."""
        question, variables = asked["query"], asked["variables"]
        if "voucherCreate" in question:
            return {"data": {"voucherCreate": self._create(variables["input"])}}
        if "voucherChannelListingUpdate" in question:
            self.vouchers[variables["id"]]["listings"] = variables["input"]["addChannels"]
            return {"data": {"voucherChannelListingUpdate": {"errors": []}}}
        if "vouchers(" in question:
            return {"data": {"vouchers": {"edges": self._found(variables["code"])}}}
        for word, data in self.answers.items():
            if word in question:
                return {"data": data(variables) if callable(data) else data}
        return {"errors": [{"message": "Cannot query this field."}]}

    def _create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        (code,) = wanted["addCodes"]
        if any(code in one["addCodes"] for one in self.vouchers.values()):
            fault = {"field": "codes", "code": "ALREADY_EXISTS", "message": "Exists."}
            return {"voucher": None, "errors": [fault]}
        name = f"Vm91Y2hlcjo{len(self.vouchers)}"
        self.vouchers[name] = dict(wanted)
        return {"voucher": {"id": name}, "errors": []}

    def _found(self, code: str) -> list[dict[str, Any]]:
        return [
            {
                "node": {
                    "id": name,
                    "name": one["name"],
                    "codes": {"edges": [{"node": {"code": each}} for each in one["addCodes"]]},
                    "channelListings": [{"id": "1"} for _ in one.get("listings", ())],
                }
            }
            for name, one in self.vouchers.items()
            if code in one["addCodes"]
        ]


@contextmanager
def serving() -> Iterator[FakeSaleor]:
    """Serve on a free port of loopback until the block ends."""
    saleor = FakeSaleor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            saleor.jwks_asked += 1
            self._say(saleor.jwks_status, saleor.jwks)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with saleor.lock:
                saleor.asked.append(asked)
                if saleor.faults:
                    status, headers = saleor.faults.pop(0)
                    self._say(status, {"errors": [{"message": "Not now."}]}, headers)
                    return
                if self.headers["Authorization"] != f"Bearer {saleor.token}":
                    self._say(200, {"errors": [{"message": "Invalid token."}]})
                    return
                answer = saleor.answer(asked)
                if saleor.cut and asked["query"].lstrip().startswith("mutation"):
                    saleor.cut -= 1
                    self.close_connection = True
                    return
            self._say(200, answer)

        def _say(self, status: int, words: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(words).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    saleor.api_url = f"http://127.0.0.1:{server.server_port}/graphql/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield saleor
    finally:
        server.shutdown()
        server.server_close()
