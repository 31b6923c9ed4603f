"""The providers of recommendations that there are."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TypeVar

from ..core.registry import Registry
from .base import Recommender

R = TypeVar("R", bound=type[Recommender])


def _load_own() -> None:
    """Import every module of `kinds`: each provider registers itself in its own file."""
    package = __name__.rpartition(".")[0] + ".kinds"
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


#: Every provider by its identifier.
recommenders: Registry[type[Recommender]] = Registry("recommender", load=_load_own)


def register_recommender(cls: R) -> R:
    """Register a provider under its `identifier`; use it as a decorator.

    Raises RegistrationError if the identifier is taken, or if Django has started already.
    """
    recommenders.register(cls.identifier)(cls)
    return cls
