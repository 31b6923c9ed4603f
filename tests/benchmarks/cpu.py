"""CPU seconds of everything that this process has started, by sort; Linux only.

On a machine that others share, seconds of CPU per mail say more than mails per second.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")


def spent(sorts: dict[str, str]) -> dict[str, float]:
    """CPU seconds so far, by sort, of this process and all that it has started.

    Args:
        sorts: Names of sorts by a piece of a command line; what has none is "other".

    Returns:
        Nothing where there is no `/proc`.
    """
    if not PROC.is_dir():
        return {}
    found: dict[str, float] = defaultdict(float)
    parents, ticks, commands = _table()
    for pid in ticks:
        if pid == os.getpid():
            found["this process"] += ticks[pid]
        elif _descends(pid, parents):
            command = commands[pid]
            sort = next((name for piece, name in sorts.items() if piece in command), "other")
            found[sort] += ticks[pid]
    return dict(found)


def _table() -> tuple[dict[int, int], dict[int, float], dict[int, str]]:
    parents: dict[int, int] = {}
    ticks: dict[int, float] = {}
    commands: dict[int, str] = {}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        pid = int(folder.name)
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            commands[pid] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
        parents[pid] = int(fields[1])
        # Its own, and those of its children that have ended: a server's sessions come and go.
        ticks[pid] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return parents, ticks, commands


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == os.getpid():
            return True
    return False
