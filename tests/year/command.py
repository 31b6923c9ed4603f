"""The command: a PostgreSQL of its own, the simulation, and one line of figures."""

from __future__ import annotations

import argparse
import os
import time

from tests import servers


def main(argv: list[str]) -> int:
    """Run, print, and say whether every promise was kept: 0, or 1."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.year", description=__doc__)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", default="", choices=["", "caps", "quiet", "priority", "lane"])
    options = parser.parse_args(argv)
    with servers.postgres() as server:
        os.environ["TRIGGERS_TEST_DB"] = "postgres"
        os.environ["TRIGGERS_TEST_DB_HOME"] = server.host
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    import django
    from django.test.utils import get_runner, setup_test_environment

    django.setup()
    setup_test_environment()
    from django.conf import settings

    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    from tests.year.simulate import simulate

    begun = time.monotonic()
    try:
        found = simulate(
            options.people, options.days, options.seed, without=options.without,
            tell=lambda text: print(text, flush=True),
        )  # fmt: skip
    finally:
        seconds = time.monotonic() - begun
        runner.teardown_databases(databases)
    print(
        f"year: cap breaches={found.cap_breaches} quiet-hour breaches={found.quiet_breaches} "
        f"transactional delayed={found.delayed} priority inversions={found.inversions} "
        f"duplicates={found.twice} unaccounted={found.unaccounted} "
        f"messages={found.marketing + found.receipts} marketing={found.marketing} "
        f"transactional={found.receipts} put off={found.waited} expired={found.expired} "
        f"cancelled={found.cancelled} people={options.people} days={options.days} "
        f"seed={options.seed} seconds={seconds:.0f}"
    )
    return 0 if found.held else 1
