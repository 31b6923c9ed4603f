"""Programs that are started together and stopped together, each in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: How long a program may take to end by itself.
PATIENCE = 8.0


class Stopped(Exception):
    """A program that should go on has ended, or one that should succeed has failed."""


class Processes:
    """Starts programs of this Python, keeps their output, and leaves none of them behind.

    Args:
        logs: The folder for their output.
        env: Their environment.
    """

    def __init__(self, logs: Path, env: Mapping[str, str]) -> None:
        self.logs = logs
        self.env = dict(env)
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start a program that goes on until `stop`."""
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches us alone: we end the others, in order.
                start_new_session=True,
            )

    def do(self, name: str, arguments: Sequence[str], waiting: Callable[[], None]) -> None:
        """Run a program to its end, calling ``waiting`` a few times a second.

        Raises:
            Stopped: It failed; the message holds the end of what it said.
        """
        self.start(name, arguments)
        while (code := self.running[name].poll()) is None:
            waiting()
            time.sleep(0.2)
        del self.running[name]
        if code:
            raise Stopped(f"{name} ended with code {code}.\n{self.tail(name)}")

    def check(self) -> None:
        """Raise Stopped if one of the programs has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Stopped(
                    f"{name} ended by itself, with code {process.returncode}.\n{self.tail(name)}"
                )

    def tail(self, name: str, lines: int = 25) -> str:
        """Return the end of what a program has said."""
        path = self.logs / f"{name}.log"
        said = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join(f"    {name}| {line}" for line in said[-lines:])

    def stop(self) -> None:
        """End every program, the last one first, politely and then for good."""
        for process in reversed(self.running.values()):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in reversed(self.running.values()):
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _end_group(process.pid)
            process.wait()
        self.running.clear()


def _end_group(leader: int) -> None:
    """End what is left of a group: a worker's children may outlive it."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
