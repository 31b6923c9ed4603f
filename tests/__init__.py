"""The tests. `python3 -m tests [pytest arguments]` runs them with nothing installed but Python.

Imports nothing that would have to be installed: `tests.__main__` starts before any package is.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an old Python must be told what it lacks
    sys.exit(
        "The tests need Python 3.11 or newer; this is %s. Run the same command with a newer one, "  # noqa: UP031
        "such as python3.13." % sys.version.split()[0]
    )
