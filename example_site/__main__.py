"""``python3 -m example_site``: the shop, with nothing installed but Python 3.11.

Makes a virtual environment of its own (reused when nothing has changed) and goes on in it with
`example_site.supervisor`. Imports the standard library alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Become the supervisor, in the environment of the demonstration."""
    sys.path.insert(0, str(ROOT))
    import devenv

    arguments = sys.argv[1:]
    # `-m` finds this package from the checkout, wherever the command was given.
    path = {"PYTHONPATH": str(ROOT)}
    devenv.run(
        "demo",
        devenv.group(*devenv.PURPOSES["demo"]),
        ["-m", "example_site.supervisor", *arguments],
        path,
    )


if __name__ == "__main__":
    main()
