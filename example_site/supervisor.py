"""Starts the whole demonstration: shop, worker with beat, mail sink. Run by ``-m example_site``."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .logins import CUSTOMER, STAFF
from .processes import Processes, Stopped

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
STARTUP_SECONDS = 60.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run until Ctrl-C; return the exit code."""
    arguments = _arguments()
    # SIGINT too: a shell that starts us in the background has it ignored.
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    try:
        if arguments.smoke:
            return _smoke()
        return _serve(arguments.port)
    except KeyboardInterrupt:
        return 130
    except Stopped as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m example_site", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the shop's port (default 8000)")
    parser.add_argument(
        "--smoke", action="store_true", help="try everything once on free ports, and end"
    )
    return parser.parse_args()


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _serve(port: int) -> int:
    if not _is_free(port):
        raise Stopped(f"Port {port} is taken. Try: python3 -m example_site --port {port + 1}")
    var = Path(os.environ.get("EXAMPLE_SITE_VAR", HERE / "var"))
    var.mkdir(parents=True, exist_ok=True)
    with _alone(var), open_shop(var, port) as shop:
        print(_greeting(port, var), flush=True)
        try:
            while True:
                shop.check()
                time.sleep(0.5)
        except KeyboardInterrupt:
            print("\nClosing the shop …", flush=True)
    return 0


def _smoke() -> int:
    from .smoke import Missing, visit

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="example-site-") as folder:
        var = Path(folder)
        with open_shop(var, free_port()) as shop:
            opened = time.monotonic()
            try:
                seen = visit(shop.env["EXAMPLE_SITE_URL"], var, shop)
            except Missing as problem:
                print(f"smoke: FAILED: {problem}", file=sys.stderr)
                for name in sorted(path.stem for path in shop.logs.glob("*.log")):
                    print(shop.tail(name), file=sys.stderr)
                return 1
            done = time.monotonic()
    print(
        f"smoke: ok {len(seen)} things ({', '.join(seen)}) in {done - opened:.1f} s, "
        f"after {opened - started:.1f} s of setting up"
    )
    return 0


@contextmanager
def open_shop(var: Path, port: int) -> Iterator[Processes]:
    """Set the shop up, start everything, and stop it all at the end of the block.

    Args:
        var: The folder for whatever the shop writes.
        port: A free port for the web server.

    Yields:
        The running programs.

    Raises:
        Stopped: Something did not start; the message says what and why.
    """
    shop = Processes(var / "log", _environment(var, port))
    try:
        # Hints of an earlier run: the database knows what is to be done.
        shutil.rmtree(var / "broker", ignore_errors=True)
        for folder in ("queue", "control"):
            (var / "broker" / folder).mkdir(parents=True)
        manage = str(HERE / "manage.py")
        with _step("Preparing the database") as waiting:
            shop.do("migrate", [manage, "migrate", "--no-input", "--verbosity", "1"], waiting)
        with _step("Filling the shelves (the first time, every picture is drawn)") as waiting:
            shop.do("setup", [manage, "setup_demo"], waiting)
        with _step("Opening the shop") as waiting:
            _start(shop, manage, port, waiting)
        yield shop
    finally:
        # A second Ctrl-C must not interrupt the tidying up.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        shop.stop()


def _start(shop: Processes, manage: str, port: int, waiting: Callable[[], None]) -> None:
    shop.start("sink", [manage, "demo_sink"])
    shop.start(
        "web", [manage, "runserver", "--noreload", "--insecure", "--skip-checks", f"{HOST}:{port}"]
    )
    shop.start("worker", [manage, "demo_worker"])
    sink = int(shop.env["EXAMPLE_SITE_SMTP_PORT"])
    deadline = time.monotonic() + STARTUP_SECONDS
    while not (_answers(f"http://{HOST}:{port}/inbox/count/") and not _is_free(sink)):
        shop.check()
        waiting()
        if time.monotonic() > deadline:
            tails = "\n".join(shop.tail(name) for name in shop.running)
            raise Stopped(f"The shop did not open within {STARTUP_SECONDS:.0f} s.\n{tails}")
        time.sleep(0.1)


def _environment(var: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "example_site.settings",
        "EXAMPLE_SITE_VAR": str(var),
        "EXAMPLE_SITE_URL": f"http://{HOST}:{port}",
        "EXAMPLE_SITE_SMTP_PORT": str(free_port()),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH", "")])
        ),
        "PYTHONUNBUFFERED": "1",
        # Celery warns of a superuser; the demonstration unpickles nothing.
        "C_FORCE_ROOT": "1",
    }


def _greeting(port: int, var: Path) -> str:
    url = f"http://{HOST}:{port}"
    return f"""
Tern & Kettle is open.

  Shop       {url}/
  Inbox      {url}/inbox/     every mail that the shop sends
  Admin      {url}/admin/     the menu Triggers shows journeys, contacts, messages

  Staff      {STAFF.email}  password: {STAFF.password}
  Customer   {CUSTOMER.email}  password: {CUSTOMER.password}

  Logs       {var / "log"}
  Try: make an account, put something in the cart, give an address, then skip an hour in the
  bar at the top. Ctrl-C closes the shop; it keeps what has happened. Remove {var} to start anew.
"""


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Keep a second demonstration off the same folder."""
    with (var / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stopped(
                "The shop is open already, from another terminal. Close that one first, or set "
                "EXAMPLE_SITE_VAR to another folder."
            ) from None
        yield


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _step(line: str) -> Iterator[Callable[[], None]]:
    """Say what is being done, and for how long already. Yields what to call while it lasts."""
    started = time.monotonic()
    lively = sys.stderr.isatty()

    def tell(start: str = "\r", end: str = "") -> None:
        if lively or end:
            spent = f"{time.monotonic() - started:4.0f} s"
            print(f"{start}[shop] {spent}  {line}", end=end, file=sys.stderr, flush=True)

    tell()
    try:
        yield tell
    finally:
        tell("\r" if lively else "", "\n")


if __name__ == "__main__":
    raise SystemExit(main())
