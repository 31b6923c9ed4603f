"""A virtual environment of our own for each purpose, with nothing installed but Python 3.11.

`python3 -m tests`, `python3 -m tests.benchmarks` and `python3 -m example_site` start here. From a
shell: `python3 devenv.py tests mypy` runs any program in the environment of the tests.

The environments lie in `.venvs/` and are reused until the project's metadata, the requirements or
the Python change. `TRIGGERS_DEV_CONSTRAINTS="Django>=6.1"` (several separated by spaces) makes one
beside it with other versions.

Only the standard library is imported, and nothing newer than Python 3.7 stands outside functions,
so that an old Python reads far enough to be told.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
#: Dependency groups of pyproject.toml that make up each purpose's environment.
PURPOSES = {
    "tests": ("test", "lint"),
    "demo": ("demo",),
    # Its curlylint wants an older pathspec than mypy does, so the two cannot live together.
    "templates": ("templates",),
    "docs": ("docs",),
    # Node, from a wheel: builds the canvas, whatever the machine has.
    "canvas": ("canvas",),
}
#: These look at files only and need neither the checkout nor Django.
WITHOUT_CHECKOUT = {"templates", "docs", "canvas"}

NO_ENSUREPIP = """\
This Python ({python}) comes without `ensurepip`, so it cannot make a virtual environment.
Any one of these mends it:
  Debian, Ubuntu:  apt install python3-venv        (as root, or with sudo)
  uv:              uv python install 3.13, then the same command with that Python
  pyenv:           pyenv install 3.13, then the same command with that Python"""

NO_DOWNLOAD = """\
The packages could not be installed: pip ended with code {code}, and says why above.
  No network?             Connect, and run the same command again; what was loaded is kept.
  Behind a proxy?         export HTTPS_PROXY=http://user:password@proxy:port
  A package index inside? export PIP_INDEX_URL=https://your.index/simple
  A slow line?            export PIP_DEFAULT_TIMEOUT=120
  Anything else:          remove {folder} and try again."""


def run(
    purpose: str,
    requirements: Sequence[str],
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
) -> NoReturn:
    """Become a program of the environment for `purpose`, made first if need be. Never returns.

    Args:
        purpose: Names the environment: `.venvs/<purpose>-<Python version>`.
        requirements: What pip installs beside this checkout (editable); see `group()`.
        argv: Arguments for its Python, such as `["-m", "pytest", "-x"]`; or the name of a program
            in it with that program's arguments, such as `["ruff", "check", "."]`.
        env: Environment variables to add to ours.

    Replacing this process (instead of starting another one) leaves the terminal, signals, Ctrl-C
    and the exit code with the program itself, and no process to be left behind.

    Raises:
        SystemExit: The environment cannot be made; the message says the fix.
    """
    python = prepare(purpose, requirements)
    merged = {**os.environ, **(env or {})}
    merged.pop("PYTHONHOME", None)
    merged["VIRTUAL_ENV"] = str(python.parent.parent)
    merged["PATH"] = f"{python.parent}{os.pathsep}{merged.get('PATH', os.defpath)}"
    sys.stdout.flush()
    sys.stderr.flush()
    program = python.parent / argv[0] if argv else python
    words = argv if program.is_file() else ["python", *argv]
    os.execve(python.parent / words[0], [str(python.parent / words[0]), *words[1:]], merged)


def prepare(purpose: str, requirements: Sequence[str]) -> Path:
    """Make the environment for `purpose`, unless it is ready, and return its Python.

    Raises:
        SystemExit: It cannot be made; the message says the fix.
    """
    _check_python()
    constraints = os.environ.get("TRIGGERS_DEV_CONSTRAINTS", "").split()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    slug = re.sub(r"[^a-z0-9.]+", "-", "-".join(["", *constraints]).lower())
    folder = ROOT / ".venvs" / f"{purpose}-{version}{slug}"
    python = folder / "bin" / "python"
    stamp = folder / "ready"
    wanted = _digest([*requirements, *constraints])
    if _read(stamp) == wanted and python.exists():
        return python
    with _alone(folder):
        if _read(stamp) == wanted and python.exists():
            return python
        stamp.unlink(missing_ok=True)
        if not _usable(python):
            _make(folder)
        _say(f"Installing packages into {_short(folder)}")
        checkout = [] if purpose in WITHOUT_CHECKOUT else ["-e", str(ROOT)]
        _install(python, folder, [*checkout, *requirements, *constraints])
        stamp.write_text(wanted, encoding="utf-8")
    _say(f"{_short(folder)} is ready")
    return python


def group(*names: str) -> list[str]:
    """The requirements of dependency groups of `pyproject.toml`, included groups unfolded.

    Raises:
        SystemExit: No group has that name.
    """
    _check_python()
    groups: dict[str, list[Any]] = _pyproject()["dependency-groups"]

    def unfold(name: str) -> Iterator[str]:
        if name not in groups:
            known = ", ".join(sorted(groups))
            raise SystemExit(f"pyproject.toml has no dependency group {name!r}; it has {known}.")
        for entry in groups[name]:
            if isinstance(entry, str):
                yield entry
            else:
                yield from unfold(entry["include-group"])

    return list(dict.fromkeys(line for name in names for line in unfold(name)))


def _check_python() -> None:
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise SystemExit(
            f"Python {wanted} or newer is needed; this is {sys.version.split()[0]} "
            f"({sys.executable}). Run the same command with a newer one, such as `python3.13`."
        )


def _digest(requirements: Sequence[str]) -> str:
    """What an environment depends on: the settings of the linters, say, are no part of it."""
    project = _pyproject()
    parts = [sys.version, sys.base_prefix, str(ROOT), *requirements]
    parts += [repr(project["build-system"]), repr(project["project"])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _pyproject() -> dict[str, Any]:
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _usable(python: Path) -> bool:
    """Whether this environment's Python is there and of our own version."""
    if not python.exists():
        return False
    probe = [str(python), "-c", "import pip, sys; print(sys.version)"]
    done = subprocess.run(probe, capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.strip() == sys.version.strip()


def _make(folder: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SystemExit(NO_ENSUREPIP.format(python=sys.executable))
    _say(f"Making the virtual environment {_short(folder)} (once; a minute or two)")
    shutil.rmtree(folder, ignore_errors=True)
    code = _call([sys.executable, "-m", "venv", str(folder)])
    if code:
        # Debian has the module without the wheels that it unpacks.
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit(NO_ENSUREPIP.format(python=sys.executable))


def _install(python: Path, folder: Path, arguments: Sequence[str]) -> None:
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    code = _call([*command, *arguments])
    if code:
        raise SystemExit(NO_DOWNLOAD.format(code=code, folder=_short(folder)))


def _call(command: Sequence[str]) -> int:
    """Run a command to its end and return its exit code; it never outlives us."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    process = subprocess.Popen(command)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal has told the child as well.
        _say("Stopped. The same command goes on where this one ended.")
        raise SystemExit(128 + signal.SIGINT) from None
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second run from installing into the same folder at the same time."""
    import fcntl

    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Waiting for another run that prepares {_short(folder)}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _say(line: str) -> None:
    print(f"[devenv] {line}", file=sys.stderr, flush=True)


def _main(arguments: Sequence[str]) -> NoReturn:
    if len(arguments) < 2 or arguments[0] not in PURPOSES:
        names = ", ".join(PURPOSES)
        raise SystemExit(
            "Usage: python3 devenv.py PURPOSE PROGRAM…, or PURPOSE ARGUMENTS-FOR-PYTHON…\n"
            f"PURPOSE is one of: {names}. Example: python3 devenv.py tests ruff check ."
        )
    purpose, *argv = arguments
    run(purpose, group(*PURPOSES[purpose]), argv)


if __name__ == "__main__":
    _main(sys.argv[1:])
