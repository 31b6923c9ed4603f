"""One registry for everything that a host can add in code: steps, event types, operators."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from ..exceptions import RegistrationError, UnknownIdentifier

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one sort under their identifiers, open while Django starts and closed after.

    `noun` names the sort in messages ("step kind"). `load` is called once, before the first look
    or when the registry closes; it imports the modules in which our own entries register.
    """

    def __init__(self, noun: str, *, load: Callable[[], None] | None = None) -> None:
        self.noun = noun
        self._load = load
        self._entries: dict[str, T] = {}
        self._closed = False

    def register(self, identifier: str) -> Callable[[T], T]:
        """Register under `identifier`: `@registry.register("x")` or `registry.register("x")(y)`.

        Returns what it was given, unchanged. Raises RegistrationError where the identifier is
        empty or taken, or where the registry is closed already.
        """

        def add(thing: T) -> T:
            self._add(identifier, thing)
            return thing

        return add

    def get(self, identifier: str) -> T:
        """Return what is registered under `identifier`; raise UnknownIdentifier if nothing is."""
        self._ensure_loaded()
        try:
            return self._entries[identifier]
        except KeyError:
            raise UnknownIdentifier(self._unknown(identifier)) from None

    def all(self) -> Mapping[str, T]:
        """Return a read-only view of everything, in order of registration."""
        self._ensure_loaded()
        return MappingProxyType(self._entries)

    def __contains__(self, identifier: object) -> bool:
        """Say whether anything is registered under `identifier`."""
        self._ensure_loaded()
        return identifier in self._entries

    def close(self) -> None:
        """Refuse every registration from now on. Called when all `triggers.py` are imported."""
        self._ensure_loaded()
        self._closed = True

    @property
    def is_closed(self) -> bool:
        """Whether everything that will ever be registered is."""
        return self._closed

    def _add(self, identifier: str, thing: T) -> None:
        if not identifier:
            raise RegistrationError(
                f"{_name(thing)} cannot be registered as a {self.noun} without an identifier. "
                "Give it a short one that never changes, such as 'send'."
            )
        if self._closed:
            raise RegistrationError(
                f"{_name(thing)} came too late to be registered as the {self.noun} "
                f"{identifier!r}: {self._names()} were registered while Django started, and the "
                "list is closed now. Register it in the `triggers.py` of an app in "
                "INSTALLED_APPS."
            )
        present = self._entries.get(identifier)
        if present is not None:
            raise RegistrationError(
                f"{_name(thing)} cannot be the {self.noun} {identifier!r}: {_name(present)} is "
                "registered under it. Give one of the two another identifier, and see that "
                "`triggers.py` is not imported under two names."
            )
        self._entries[identifier] = thing

    def _ensure_loaded(self) -> None:
        if self._load is not None:
            load, self._load = self._load, None  # taken off first: loading may look in here
            try:
                load()
            except BaseException:
                self._load = load  # half a list must not pass for the whole one
                raise

    def _unknown(self, identifier: str) -> str:
        near = difflib.get_close_matches(identifier, self._entries, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Registered are: {self._names()}."
        return f"There is no {self.noun} {identifier!r}. {hint}"

    def _names(self) -> str:
        return ", ".join(sorted(self._entries)) or "none"


def _name(thing: object) -> str:
    """Return the dotted name of a class or function, or the repr of anything else."""
    name = getattr(thing, "__qualname__", None)
    return f"{getattr(thing, '__module__', '')}.{name}" if name else repr(thing)
