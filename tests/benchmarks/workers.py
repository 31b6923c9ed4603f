"""Celery workers, as a shop starts them: real processes, prefork."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

#: Seconds in which a worker must be ready; a loaded two-core machine takes 10.
PATIENCE = 90.0
ROOT = Path(__file__).resolve().parents[2]
CELERY = ("-m", "celery", "-A", "tests.benchmarks.celery_app")


@contextmanager
def worker(
    name: str,
    queues: Sequence[str],
    *,
    processes: int = 2,
    options: Sequence[str] = (),
    stopped: list[float] | None = None,
) -> Iterator[None]:
    """A prefork worker that listens to `queues` for the length of the block.

    Args:
        name: Its node name.
        queues: What it listens to.
        processes: Children that work.
        options: Further arguments for `celery worker`.
        stopped: Gets the seconds that it took to stop, once it was asked to.

    Raises:
        RuntimeError: It did not come up; with its log.
    """
    with tempfile.TemporaryDirectory(prefix="triggers-worker-") as folder:
        log = Path(folder) / "log"
        command = [sys.executable, *CELERY, "worker", "-n", f"{name}@%h", "-l", "INFO"]
        command += ["-c", str(processes), "-Q", ",".join(queues), "--without-gossip"]
        if "-B" in options:
            command += ["-s", f"{folder}/beat"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--without-mingle", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "C_FORCE_ROOT": "1"},
                cwd=ROOT,
            )
        try:
            _wait_until_ready(process, log)
            yield
        finally:
            began = time.monotonic()
            _stop(process)
            if stopped is not None:
                stopped.append(time.monotonic() - began)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while b" ready." not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"A worker did not start.\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, 5)):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                # A killed parent would leave its children; a warm stop is the parent's own work.
                (os.killpg if number == signal.SIGKILL else os.kill)(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
