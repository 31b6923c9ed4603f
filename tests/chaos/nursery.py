"""Starts workers, beats and other processes by fork, so that each is there within half a second.

The nursery itself is forked off before its run has threads or connections, with Django and Celery
loaded. What it starts are ordinary prefork workers, each in a session of its own; anybody may kill
them by their pids. When the run ends, or dies, the nursery kills whatever is left.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from wagtail_triggers.conf import QUEUES

ALL_QUEUES = ",".join(sorted(set(QUEUES.values())))


class Nursery:
    """The run's end of the line.

    Args:
        folder: Where processes leave logs and pids.
        settings: Django settings that every process gets.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self.settings = dict(settings)
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _serve(theirs)
        theirs.close()
        self._line = ours.makefile("rw")
        self._lock = threading.Lock()
        self.pids: list[int] = []

    def spawn(
        self,
        name: str,
        function: str,
        *arguments: Any,
        settings: Mapping[str, Any] | None = None,
        plant: str = "",
    ) -> int:
        """Start a process that carries out a function.

        Args:
            name: Of its log.
            function: Its dotted path.
            arguments: Anything that JSON knows.
            settings: Django settings of this process beside those of all.
            plant: The dotted path of a function that breaks something in it first.

        Returns:
            Its pid, which is its process group's too.
        """
        order = {
            "log": str(self.folder / f"{name}.log"), "function": function, "arguments": arguments,
            "settings": {**self.settings, **(settings or {})}, "plant": plant,
        }  # fmt: skip
        pid = int(self._ask(order))
        self.pids.append(pid)
        return pid

    def worker(
        self,
        name: str,
        *,
        queues: str = ALL_QUEUES,
        processes: int = 2,
        settings: Mapping[str, Any] | None = None,
        plant: str = "",
        options: Sequence[str] = (),
    ) -> int:
        """Start a prefork worker; its pid."""
        arguments = [
            "worker", "--pool=prefork", f"--concurrency={processes}", f"--queues={queues}",
            f"--hostname={name}@localhost", "--loglevel=WARNING", "--without-gossip",
            "--without-mingle", "--without-heartbeat", *options,
        ]  # fmt: skip
        return self.spawn(
            name, "tests.chaos.nursery.celery", arguments, settings=settings, plant=plant
        )

    def beat(self, name: str = "beat", *, settings: Mapping[str, Any] | None = None) -> int:
        """Start a beat; its pid."""
        arguments = ["beat", "--loglevel=WARNING", f"--schedule={self.folder}/{name}.db"]
        arguments += [f"--pidfile={self.folder}/{name}.pid"]
        with suppress(FileNotFoundError):  # of one that was killed
            (self.folder / f"{name}.pid").unlink()
        return self.spawn(name, "tests.chaos.nursery.celery", arguments, settings=settings)

    def alive(self, pid: int) -> bool:
        """Whether a process that was spawned here still runs."""
        return self._ask({"alive": pid}) == "yes"

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Signal a whole process group, and wait for SIGKILL to have worked."""
        with suppress(ProcessLookupError):
            os.killpg(pid, number)
        if number == signal.SIGKILL:
            self.wait(pid, 10)

    def signal(self, pid: int, number: int) -> None:
        """Signal one process, and not its children."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def wait(self, pid: int, seconds: float) -> bool:
        """Wait for the end of a process; False if it did not come."""
        give_up = time.monotonic() + seconds
        while self.alive(pid):
            if time.monotonic() > give_up:
                return False
            time.sleep(0.02)
        return True

    def children(self, worker: int | None = None) -> list[int]:
        """Pids of the pool processes that are ready to work, of one worker or of all."""
        found = []
        for file in sorted(self.folder.glob("*.child")):
            pid, parent = (int(part) for part in file.stem.split("-"))
            if worker in (None, parent) and _parent_of(pid) == parent:
                found.append(pid)
        return found

    def logs(self) -> str:
        """The last lines that each process wrote."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-1_500:]}"
            for log in sorted(self.folder.glob("*.log"))
        )

    def close(self) -> None:
        """Kill everything that is left."""
        self._line.close()
        os.waitpid(self.pid, 0)

    def _ask(self, order: Mapping[str, Any]) -> str:
        with self._lock:
            self._line.write(json.dumps(order) + "\n")
            self._line.flush()
            return self._line.readline().strip()


def _parent_of(pid: int) -> int:
    """The parent of a living process; 0 where it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    state, parent = stat.rpartition(")")[2].split()[:2]
    return 0 if state == "Z" else int(parent)


def child_is_ready() -> None:
    """What each pool process does before its first task: leave its pid."""
    folder = Path(django_settings.CHAOS_FOLDER)
    (folder / f"{os.getpid()}-{os.getppid()}.child").touch()


def celery(arguments: list[str]) -> None:
    """Become a Celery program."""
    from tests.chaos.worker import app

    app.start(arguments)


def _serve(line: socket.socket) -> None:
    """The nursery's own life."""
    # Whatever ends the run, its end of the line is what tells us.
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    alive: set[int] = set()
    reader = line.makefile("r")
    try:
        for text in iter(reader.readline, ""):
            order = json.loads(text)
            with suppress(ChildProcessError):
                while (gone := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                    alive.discard(gone)
            if "alive" in order:
                answer = "yes" if order["alive"] in alive else "no"
            else:
                pid = os.fork()
                if pid == 0:
                    reader.close()
                    line.close()
                    _become(order)
                alive.add(pid)
                answer = str(pid)
            line.sendall(f"{answer}\n".encode())
    finally:
        for pid in alive:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        os._exit(0)


def _become(order: Mapping[str, Any]) -> None:
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        random.seed()
        for name, value in order["settings"].items():
            setattr(django_settings, name, value)
        prepare(order["settings"])
        if order["plant"]:
            import_string(order["plant"])()
        import_string(order["function"])(*order["arguments"])
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:  # the end of a process: whatever it was, its log tells
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def prepare(settings: Mapping[str, Any]) -> None:
    """Point Celery and the sender at this run, in the present process."""
    from tests.chaos import hurry
    from tests.chaos.worker import app

    app.conf.update(
        broker_url=settings["CELERY_BROKER_URL"],
        beat_schedule=django_settings.CELERY_BEAT_SCHEDULE,
    )
    hurry.up(float(settings["CHAOS_PATIENCE"]))
