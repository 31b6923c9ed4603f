"""Ends a server whose owner is gone, however the owner went: also by SIGKILL.

`servers.py` starts it by path with the server's process id and folder as arguments, and holds the
other end of its standard input. End of input means that the owner died: the server's process group
is stopped and its folder removed. The line `done` means that the owner did so itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time


def alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(pid: int, folder: str) -> None:
    """Wait for the end of input, then stop process group `pid` and remove `folder`."""
    if sys.stdin.readline().strip() == "done":
        return
    for number, patience in ((signal.SIGTERM, 1.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)
        give_up = time.monotonic() + patience
        while alive(pid) and time.monotonic() < give_up:
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
