"""Run one scenario, or with `--small` all of them as CI does, on servers of their own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.chaos.registry import scenarios


def main(argv: Sequence[str]) -> int:
    """Run what the arguments name.

    Returns:
        0 if every promise held, else 1.
    """
    _set_up()
    options = _parser().parse_args(argv)
    from tests.chaos import drill, world
    from tests.chaos.run import Plan

    if options.serve:
        with world.running() as servers:
            return drill.serve(servers)
    if options.name is None:
        _parser().error("name a scenario")
    scenario = scenarios()[options.name]
    small = scenario.small_size(broken=options.broken)
    size = options.messages or (small if options.small else scenario.full)
    with world.running() as servers:
        return drill.once(Plan(options.name, size, options.seed, options.broken), servers)


def _set_up() -> None:
    """Django, for the scenarios' modules; `world` tells it later where its database is."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.chaos.settings", "TRIGGERS_TEST_DB": "postgres"}
    import django

    django.setup()
    from tests.chaos import naive, worker  # noqa: F401 - our Celery app, and a task of most code


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(
        f"  {one.name:4} {one.title}\n         holds:    {one.promise}\n"
        f"         --broken: {one.broken}\n         size:     {one.full} ({one.small} in CI)"
        for one in scenarios().values()
    )
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.chaos",
        description="Break something on purpose, and see whether the promise holds.",
        epilog=f"scenarios:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="?", type=str.upper, choices=list(scenarios()), metavar="NAME"
    )
    parser.add_argument("--messages", type=int, help="how many; what is counted depends on it")
    parser.add_argument("--seed", type=int, default=2, help="what the randomness begins with")
    parser.add_argument("--broken", action="store_true", help="take the protection away")
    parser.add_argument("--small", action="store_true", help="the size that CI runs")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
