"""Children that misbehave, for `test_isolation`: `python -m …stubborn_child LANGUAGE`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from wagtail_triggers.messages import isolated_child


def misbehave(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what the first source says."""
    match request["parts"][0][1]:
        case "busy":
            while True:
                pass
        case "asleep":
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                # The soft limit raises here, and this swallows it: only a kill ends it.
                try:
                    time.sleep(30)
                except BaseException:  # noqa: S112 (that is the point)
                    continue
        case "hungry":
            kept = []
            while True:
                kept.append(bytearray(16 * 1024 * 1024))
        case "gone":
            os._exit(3)
        case "chatty":
            print("not an answer")
    return {"texts": {"secrets": repr(sorted(os.environ))}}


if __name__ == "__main__":
    isolated_child.cook = misbehave
    isolated_child.main(sys.argv[1])
