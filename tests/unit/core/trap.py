"""A server on the loopback that counts who connects, and answers as it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Takes the request's bytes and the connection; returns the whole answer, or None if it has dealt
#: with the connection itself.
Answer = Callable[[bytes, socket.socket], bytes | None]


@dataclass
class Trap:
    """What the server saw."""

    port: int
    host: str = "127.0.0.1"
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


def ok(request: bytes, connection: socket.socket) -> bytes:
    """204, and nothing else."""
    return b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def answering(status: str, body: bytes = b"", **headers: str) -> Answer:
    """Always this answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*head, "", ""]).encode() + body
    return lambda request, connection: whole


@contextmanager
def trap(answer: Answer = ok, *, host: str = "127.0.0.1") -> Iterator[Trap]:
    """Listen on the loopback for the length of the block."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        listener.listen(64)
        listener.settimeout(0.05)
        seen = Trap(listener.getsockname()[1], host)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _peer = listener.accept()
                except TimeoutError:
                    continue
                seen.connections += 1
                threading.Thread(
                    target=_answer, args=(seen, connection, answer), daemon=True
                ).start()

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        try:
            yield seen
        finally:
            over.set()
            serving.join(5)


def _answer(seen: Trap, connection: socket.socket, answer: Answer) -> None:
    with connection:
        connection.settimeout(5)
        try:
            request = _read(connection)
            seen.requests.append(request)
            reply = answer(request, connection)
            if reply is not None:
                connection.sendall(reply)
        except OSError:
            return


def _read(connection: socket.socket) -> bytes:
    """One request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return data
        data += more
    head, _gap, body = data.partition(b"\r\n\r\n")
    length = 0
    for row in head.lower().split(b"\r\n"):
        if row.startswith(b"content-length:"):
            length = int(row.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body
