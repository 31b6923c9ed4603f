"""`python3 -m tests [pytest arguments]`: prepares an environment, then runs pytest in it."""

from __future__ import annotations

import sys

import devenv

if __name__ == "__main__":
    devenv.run("tests", devenv.group(*devenv.PURPOSES["tests"]), ["-m", "pytest", *sys.argv[1:]])
