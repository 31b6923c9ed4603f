"""The kinds of block that there are: ours, and those that hosts add in their `triggers.py`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TypeVar

from ...core.registry import Registry
from .base import MailBlock

K = TypeVar("K", bound=type[MailBlock])


def _load_own() -> None:
    """Import every module of `kinds`: each kind registers itself in its own file."""
    package = __name__.rpartition(".")[0] + ".kinds"
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


#: Every kind of block by its identifier.
kinds: Registry[type[MailBlock]] = Registry("kind of mail block", load=_load_own)


def register_block(cls: K) -> K:
    """Register a kind of block under its `identifier`; use it as a decorator.

    Raises RegistrationError if the identifier is taken, or if Django has started already.
    """
    kinds.register(cls.identifier)(cls)
    return cls
