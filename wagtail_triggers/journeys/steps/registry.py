"""The kinds of step that there are: ours, and those that hosts add in their `triggers.py`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any, TypeVar

from ...core.registry import Registry
from .base import Step

K = TypeVar("K", bound=type[Step[Any]])


def _load_own() -> None:
    """Import every module beside this one: each kind registers itself in its own file."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


#: Every kind of step by its identifier.
steps: Registry[type[Step[Any]]] = Registry("step kind", load=_load_own)


def register_step(cls: K) -> K:
    """Register a kind of step under its `identifier`; use it as a decorator.

    Raises RegistrationError if the identifier is taken, or if Django has started already.
    """
    steps.register(cls.identifier)(cls)
    return cls
