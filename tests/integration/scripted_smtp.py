"""An SMTP server on a real socket that answers, or fails, by a script."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Act = str | Callable[[socket.socket], None]


def drop(connection: socket.socket) -> None:
    """Close without an answer."""
    raise ConnectionAbortedError


def stall(connection: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    connection.settimeout(5)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass
    raise ConnectionAbortedError


def freeze(connection: socket.socket) -> None:
    """Stop reading."""
    time.sleep(1)
    raise ConnectionAbortedError


@dataclass
class Server:
    """An SMTP server that answers by a script.

    `answers` maps a command ("", EHLO, MAIL, RCPT, DATA, "." for the end of the data, RSET) to the
    acts for its successive calls; where none is left it answers as it should. With `pipelining` it
    offers that.
    """

    answers: dict[str, list[Act]] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    pipelining: bool = False

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._act(connection, "", "220 ready")
                refused = False
                with connection.makefile("rb") as lines:
                    while line := lines.readline():
                        command = line.split()[0].decode().upper().split(":")[0]
                        self.commands.append(command)
                        if command == "DATA":
                            default = "503 nobody to send it to" if refused else "354 go"
                            if self._act(connection, "DATA", default).startswith("354"):
                                self._read_mail(connection, lines)
                        elif command == "QUIT":
                            connection.sendall(b"221 bye\r\n")
                            return
                        else:
                            default = self._hello() if command == "EHLO" else "250 ok"
                            code = self._act(connection, command, default)[:1]
                            if command in ("MAIL", "RCPT"):
                                refused = code in ("4", "5") or (refused and command == "RCPT")
            except OSError:
                return

    def _hello(self) -> str:
        return (
            "250-here\r\n250-PIPELINING\r\n250 SIZE" if self.pipelining else "250-here\r\n250 SIZE"
        )

    def _read_mail(self, connection: socket.socket, lines: Any) -> None:
        if self.answers.get("body"):
            self._act(connection, "body", "")
        data = b""
        while (line := lines.readline()) != b".\r\n":
            if not line:
                raise ConnectionAbortedError
            data += line[1:] if line.startswith(b".") else line
        acts = self.answers.get(".") or []
        if not acts or acts[0] in {"lost answer"} or str(acts[0]).startswith("250"):
            self.mails.append(data)
        if acts and acts[0] == "lost answer":
            acts[0] = drop
        self._act(connection, ".", "250 2.0.0 Ok: queued as ABC123")

    def _act(self, connection: socket.socket, command: str, default: str) -> str:
        acts = self.answers.get(command) or []
        act = acts.pop(0) if acts else default
        if not isinstance(act, str):
            act(connection)
            return ""
        if act:
            connection.sendall(act.encode() + b"\r\n")
        return act

    def close(self) -> None:
        self.listener.close()
