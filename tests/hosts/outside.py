"""A shop in a process of its own: it has other settings than the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def printed(script: str, settings: str, **env: str) -> dict[str, Any]:
    """What a script of visits prints as JSON.

    Args:
        script: Its path below this folder.
        settings: The shop's settings module.
        env: Further variables of its environment.
    """
    known = {**os.environ, "DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": str(ROOT), **env}
    command = [sys.executable, str(HERE / script)]
    done = subprocess.run(command, env=known, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found
