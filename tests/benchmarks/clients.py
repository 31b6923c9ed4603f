"""Processes that do the same thing at the same time: the clients of a shop, or its workers."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from django.db import connections

#: Seconds after which a client that does not answer is lost.
PATIENCE = 600.0
Work = Callable[..., Any]


class Clients:
    """Forked processes, each with a database session of its own."""

    def __init__(self, pipes: list[Connection]) -> None:
        self._pipes = pipes

    def call(self, name: str, *arguments: Any) -> tuple[float, list[Any]]:
        """Let all of them do `name` at once; the seconds until the last was done, and answers.

        Raises:
            RuntimeError: One failed, or did not answer.
        """
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send((name, arguments))
        answers = []
        for pipe in self._pipes:
            if not pipe.poll(PATIENCE):
                raise RuntimeError(f"A client does not answer to {name}.")
            ok, answer = pipe.recv()
            if not ok:
                raise RuntimeError(f"A client failed at {name}: {answer}")
            answers.append(answer)
        return time.perf_counter() - began, answers


@contextmanager
def clients(number: int, works: dict[str, Work]) -> Iterator[Clients]:
    """Fork `number` processes that can do `works`; ends them at the end."""
    connections.close_all()  # a session cannot be shared
    context = multiprocessing.get_context("fork")
    pipes, processes = [], []
    for _one in range(number):
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, works), daemon=True)
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)
    try:
        yield Clients(pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()


def _serve(pipe: Connection, works: dict[str, Work]) -> None:
    while True:
        try:
            name, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, works[name](*arguments)))
        except Exception as error:  # the parent tells it
            pipe.send((False, f"{type(error).__name__}: {error}"))
