"""The kinds of job that there are: ours, and those that hosts add in their `triggers.py`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TypeVar

from ...core.registry import Registry
from .base import JobKind

K = TypeVar("K", bound=type[JobKind])


def _load_own() -> None:
    """Import every module of `kinds`: each registers itself in its own file."""
    package = f"{__name__.rpartition('.')[0]}.kinds"
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


#: Every kind of job by its identifier.
kinds: Registry[JobKind] = Registry("kind of job", load=_load_own)


def register_job(cls: K) -> K:
    """Register a kind of job under its `identifier`; use it as a decorator.

    Raises RegistrationError if the identifier is taken, or if Django has started already.
    """
    kinds.register(cls.identifier)(cls())
    return cls
