"""`python3 -m tests [pytest arguments]`: prepares an environment, then runs pytest in it.

Without arguments it runs everything but the benchmarks and the three longest stories, on several
cores. A benchmark compares two things that share the machine with nothing else:
`python3 -m tests tests/benchmarks`. The stories: `python3 -m tests tests/acceptance`.
"""

from __future__ import annotations

import sys

import devenv

#: Each worker migrates a database of its own, which takes ten seconds; more than four do not pay.
EVERYTHING = (
    "-n", "logical", "--maxprocesses", "4", "--ignore", "tests/benchmarks",
    "--ignore", "tests/acceptance/test_state_machine.py",
    "--ignore", "tests/acceptance/test_year.py",
    "--ignore", "tests/acceptance/test_outage.py",
)  # fmt: skip

if __name__ == "__main__":
    arguments = sys.argv[1:] or EVERYTHING
    devenv.run("tests", devenv.group(*devenv.PURPOSES["tests"]), ["-m", "pytest", *arguments])
