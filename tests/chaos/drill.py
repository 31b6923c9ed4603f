"""Many runs on one PostgreSQL, one Valkey and one set of tables: each in a fork of its own.

`serve` reads one run a line (JSON) from standard input and writes one answer a line.
"""

from __future__ import annotations

import json
import os
import selectors
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.chaos.registry import scenarios
from tests.chaos.run import Plan, carry_out
from tests.chaos.world import World

#: Runs at a time: they wait for leases most of the time.
AT_ONCE = 3


def once(plan: Plan, world: World) -> int:
    """Carry out one run in this process; 0 if the promise held, 1 if not."""
    report = carry_out(plan, world)
    print("\n".join(report.lines()), flush=True)
    return 1 if report.broken else 0


@dataclass
class _Running:
    plan: Plan
    pid: int
    output: Path


def serve(world: World) -> int:
    """Carry out what standard input asks for, several at a time."""
    waiting: deque[Plan] = deque()
    running: dict[int, _Running] = {}
    number = 0
    # Without a buffer of ours: what waits in one is not seen by `select`.
    orders = os.fdopen(0, "rb", buffering=0)
    print(json.dumps("ready"), flush=True)
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        open_ended = True
        while open_ended or waiting or running:
            if selector.get_map() and selector.select(0.05):
                line = orders.readline()
                if line:
                    waiting.append(_plan(json.loads(line)))
                else:
                    open_ended = False
                    selector.unregister(orders)
            while waiting and _has_room(waiting[0], running):
                number += 1
                one = _start(waiting.popleft(), world, number % 60 + 1)
                running[one.pid] = one
            _collect(running)
    return 0


def _plan(order: Mapping[str, Any]) -> Plan:
    """A run as small as CI's, unless it says otherwise."""
    small = scenarios()[order["name"]].small_size(broken=order["broken"])
    return Plan(order["name"], order.get("messages", small), order["seed"], order["broken"])


def _has_room(plan: Plan, running: dict[int, _Running]) -> bool:
    if plan.scenario.alone or any(one.plan.scenario.alone for one in running.values()):
        return not running
    return len(running) < AT_ONCE


def _start(plan: Plan, world: World, number: int) -> _Running:
    handle, name = tempfile.mkstemp(prefix="triggers-chaos-output-")
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        status = 70
        try:
            report = carry_out(plan, world, number)
            print("\n".join(report.lines()), flush=True)
            status = 1 if report.broken else 0
        except BaseException:  # the end of a fork: its output tells
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.close(handle)
    return _Running(plan, pid, Path(name))


def _collect(running: dict[int, _Running]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        one = running.pop(pid, None)
        if one is None:
            continue
        answer: dict[str, Any] = {
            "plan": asdict(one.plan),
            "status": os.waitstatus_to_exitcode(status),
            "output": one.output.read_text(encoding="utf-8", errors="replace"),
        }
        one.output.unlink()
        print(json.dumps(answer), flush=True)
