"""core.registry: what is registered under which name, and what it refuses."""

from __future__ import annotations

import pytest

from wagtail_triggers.core.registry import Registry
from wagtail_triggers.exceptions import RegistrationError, UnknownIdentifier


class Apple:
    pass


class Pear:
    pass


def fruits() -> Registry[type]:
    return Registry("fruit")


def test_registry_used_as_decorator_returns_the_class_and_finds_it() -> None:
    registry = fruits()

    @registry.register("quince")
    class Quince:
        pass

    assert Quince.__name__ == "Quince"
    assert registry.get("quince") is Quince
    assert "quince" in registry
    assert "apple" not in registry


def test_registry_all_keeps_the_order_and_cannot_be_written() -> None:
    registry = fruits()
    registry.register("pear")(Pear)
    registry.register("apple")(Apple)
    assert list(registry.all()) == ["pear", "apple"]
    with pytest.raises(TypeError):
        registry.all()["x"] = Apple  # type: ignore[index]  # that it is refused is the point


def test_registry_identifier_taken_names_both_and_keeps_the_first() -> None:
    registry = fruits()
    registry.register("apple")(Apple)
    with pytest.raises(RegistrationError) as caught:
        registry.register("apple")(Pear)
    assert str(caught.value) == (
        f"{__name__}.Pear cannot be the fruit 'apple': {__name__}.Apple is registered under it. "
        "Give one of the two another identifier, and see that `triggers.py` is not imported under "
        "two names."
    )
    assert registry.get("apple") is Apple


def test_registry_closed_refuses_with_directions_and_adds_nothing() -> None:
    registry = fruits()
    registry.register("apple")(Apple)
    registry.close()
    with pytest.raises(RegistrationError, match=r"`triggers\.py` of an app in INSTALLED_APPS") as e:
        registry.register("pear")(Pear)
    assert f"{__name__}.Pear came too late" in str(e.value)
    assert "'pear'" in str(e.value)
    assert "apple" in str(e.value)
    assert "pear" not in registry


def test_registry_empty_identifier_is_refused() -> None:
    with pytest.raises(RegistrationError, match="without an identifier"):
        fruits().register("")(Apple)


def test_registry_unknown_identifier_suggests_the_nearest() -> None:
    registry = fruits()
    registry.register("apple")(Apple)
    with pytest.raises(UnknownIdentifier, match=r"no fruit 'aple'\. Did you mean 'apple'\?"):
        registry.get("aple")


def test_registry_unknown_identifier_unlike_any_lists_them() -> None:
    registry = fruits()
    registry.register("apple")(Apple)
    with pytest.raises(UnknownIdentifier, match=r"Registered are: apple\."):
        registry.get("zzz")


def test_registry_load_runs_once_before_the_first_look() -> None:
    calls: list[str] = []

    def load() -> None:
        calls.append("load")
        registry.register("apple")(Apple)

    registry: Registry[type] = Registry("fruit", load=load)
    assert calls == []
    assert registry.get("apple") is Apple
    assert list(registry.all()) == ["apple"]
    registry.close()
    assert calls == ["load"]


def test_registry_load_that_fails_is_tried_again_and_not_taken_for_empty() -> None:
    calls: list[str] = []

    def load() -> None:
        calls.append("load")
        if len(calls) == 1:
            raise ImportError("broken")
        registry.register("apple")(Apple)

    registry: Registry[type] = Registry("fruit", load=load)
    with pytest.raises(ImportError, match="broken"):
        registry.get("apple")
    assert registry.get("apple") is Apple
