"""Celery workers as processes that can be killed, child by child or whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from wagtail_triggers.conf import QUEUES

ROOT = Path(__file__).parents[2]


class Crew:
    """Workers and a beat, each in a session of its own; `stop` leaves none behind.

    Args:
        environment: What they are told besides ours.
        folder: Where they leave logs and pids.
    """

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = {**os.environ, **environment, "CHAOS_FOLDER": str(folder)}
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int) -> None:
        """Start a beat and so many workers of two processes each."""
        self._start("beat", "--loglevel=WARNING", f"--pidfile={self.folder}/beat.pid")
        for _number in range(workers):
            self.add_worker()

    def add_worker(self) -> None:
        """Start a worker that takes every queue."""
        queues = ",".join(sorted(set(QUEUES.values())))
        number = len(self.processes)
        self.workers.append(
            self._start(
                "worker",
                "--pool=prefork",
                "--concurrency=2",
                f"--queues={queues}",
                f"--hostname=w{number}@localhost",
                "--loglevel=WARNING",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            )
        )

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{arguments[0]}{len(self.processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tests.chaos.worker", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def children(self) -> list[int]:
        """Pids of the pool processes that are ready to work, the oldest first."""
        files = sorted(self.folder.glob("*.child"), key=lambda file: file.stat().st_mtime)
        return [int(file.stem) for file in files]

    def kill_child(self, pid: int) -> bool:
        """SIGKILL one pool process; False if it was gone."""
        (self.folder / f"{pid}.child").unlink(missing_ok=True)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill_worker(self) -> None:
        """SIGKILL a worker with its whole process group, and start another one."""
        worker = self.workers.pop(0)
        self._kill(worker)
        self.add_worker()

    def stop(self) -> None:
        """SIGKILL everything that is left."""
        for process in self.processes:
            self._kill(process)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def logs(self) -> str:
        """The last lines that each wrote."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-2_000:]}"
            for log in sorted(self.folder.glob("*.log"))
        )
