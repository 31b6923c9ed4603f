#!/usr/bin/env python
"""Django's command line for the shop: ``python example_site/manage.py migrate``."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command that the arguments name."""
    root = str(Path(__file__).resolve().parent.parent)
    here = str(Path(__file__).resolve().parent)
    # Run as a script, Python puts this folder first: its celery.py would hide the real one.
    sys.path[:] = [root, *(entry for entry in sys.path if entry not in (root, here))]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_site.settings")
    from django.core.management import execute_from_command_line

    import example_site.celery  # noqa: F401 - makes the shop's app the current one

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
