"""Owns one server process: kills and starts it on request, and ends it when its own owner is gone.

`world.py` starts it by path: `keeper.py SOCKET FOLDER USER COMMAND…`, and holds the other end of
its standard input; end of input means that the owner is gone, however it went. Whoever connects to
SOCKET may write one line: `kill NUMBER` (a signal; answers once the server is gone), `start`, or
`pid`. The answer is one line too.
"""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path


class Keeper:
    """One server: its command, and its process while there is one."""

    def __init__(self, folder: Path, user: str, command: list[str]) -> None:
        self.folder = folder
        self.account = pwd.getpwnam(user) if user else None
        self.command = command
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        account = self.account
        with (self.folder / "server.log").open("ab") as output:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )

    def kill(self, number: int) -> None:
        """Send a signal and wait for the end; one that does not come gets SIGKILL."""
        for chosen in (number, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGCONT)  # one that was stopped cannot end
                self.process.send_signal(chosen)
                try:
                    self.process.wait(15)
                except subprocess.TimeoutExpired:
                    continue

    def obey(self, order: str) -> str:
        """Carry out one line."""
        word, _space, rest = order.strip().partition(" ")
        if word == "kill":
            self.kill(int(rest))
        elif word == "start" and self.process.poll() is not None:
            self.process = self._started()
        return str(self.process.pid)


def main(address: str, folder: str, user: str, command: list[str]) -> None:
    """Keep the server until standard input ends; then remove the folder."""
    keeper = Keeper(Path(folder), user, command)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        try:
            while True:
                ready, _w, _x = select.select([listener, sys.stdin], [], [])
                if sys.stdin in ready:
                    return
                line, _peer = listener.accept()
                with line:
                    line.sendall(keeper.obey(line.recv(100).decode()).encode() + b"\n")
        finally:
            keeper.kill(signal.SIGINT)
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.umask(0o022)
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
