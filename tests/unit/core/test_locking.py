"""Which failures of a transaction pass if it is run again."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError

from wagtail_triggers.core import locking
from wagtail_triggers.core.locking import ATTEMPTS, is_transient, retrying


class Cause(Exception):
    """What a driver raises."""

    def __init__(self, *args: object, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


def error(kind: type[DatabaseError], *args: object, sqlstate: str | None = None) -> DatabaseError:
    """An error as Django raises it, with the driver's behind it."""
    found = kind(*args)
    found.__cause__ = Cause(*args, sqlstate=sqlstate)
    return found


@pytest.mark.parametrize(
    ("raised", "passes"),
    [
        (error(OperationalError, sqlstate="40P01"), True),  # deadlock
        (error(OperationalError, sqlstate="40001"), True),  # serialisation
        (error(OperationalError, sqlstate="55P03"), True),  # lock timeout
        (error(IntegrityError, sqlstate="23505"), True),  # somebody inserted it a moment earlier
        (error(IntegrityError, sqlstate="23503"), False),  # what it points to is gone
        (error(OperationalError, sqlstate="57P01"), False),  # the server shuts down
        (error(OperationalError, 1213, "Deadlock found"), True),
        (error(OperationalError, 1205, "Lock wait timeout exceeded"), True),
        (error(IntegrityError, 1062, "Duplicate entry"), True),
        (error(OperationalError, 2006, "Server has gone away"), False),
        (OperationalError("database is locked"), True),
        (OperationalError("database table is locked: x"), True),
        (OperationalError("disk I/O error"), False),
        (ValueError("database is locked"), False),
    ],
)
def test_transient_failure_is_told_from_one_that_stays(raised: Exception, passes: bool) -> None:
    assert is_transient(raised) is passes


class Failing:
    """Fails so many times, then answers."""

    def __init__(self, times: int, raises: Exception) -> None:
        self.times, self.raises, self.calls = times, raises, 0

    def __call__(self) -> str:
        """Fail or answer."""
        self.calls += 1
        if self.calls <= self.times:
            raise self.raises
        return "done"


DEADLOCK = error(OperationalError, sqlstate="40P01")


class Outside:
    """A connection without a transaction."""

    in_atomic_block = False


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No database, and no time lost."""
    monkeypatch.setattr(locking, "connection", Outside)
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.mark.parametrize("times", [0, 1, ATTEMPTS - 1])
def test_retrying_runs_it_again_until_it_passes(times: int) -> None:
    step = Failing(times, DEADLOCK)
    retried = retrying(lambda: step())
    assert retried() == "done"
    assert step.calls == times + 1


def test_retrying_gives_up_after_five_attempts() -> None:
    step = Failing(99, DEADLOCK)
    with pytest.raises(OperationalError):
        retrying(lambda: step())()
    assert step.calls == 5


def test_retrying_raises_what_does_not_pass_at_once() -> None:
    step = Failing(1, error(IntegrityError, sqlstate="23503"))
    with pytest.raises(IntegrityError):
        retrying(lambda: step())()
    assert step.calls == 1


def test_retrying_inside_somebody_elses_transaction_raises_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Outside, "in_atomic_block", True)
    step = Failing(1, DEADLOCK)
    with pytest.raises(OperationalError):
        retrying(lambda: step())()
    assert step.calls == 1
