"""Recipes: bundles that tell what they are for, in folders that the package and hosts bring.

A host adds a folder in its `triggers.py`::

    from pathlib import Path

    from wagtail_triggers.api import register_recipes

    register_recipes("shop", Path(__file__).parent / "recipes")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from ...core.registry import Registry
from ...exceptions import BundleError, RegistrationError
from .schema import About, Bundle, in_language, read_bundle

OWN: Final = Path(__file__).resolve().parents[2] / "recipes"

#: Folders of recipes by a name of whoever brings them.
folders: Final[Registry[Path]] = Registry("folder of recipes")

#: Headings of the gallery, in order; a category that is not named here comes last, as it is.
CATEGORIES: Final[dict[str, str | Promise]] = {
    "welcome": _("Welcome"),
    "cart": _("Forgotten carts"),
    "order": _("Orders and deliveries"),
    "after": _("After the purchase"),
    "again": _("Say it once more"),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A bundle with a title, a summary and a place in the gallery."""

    identifier: str
    bundle: Bundle
    about: About

    def title(self, language: str | None = None) -> str:
        """What it is called, in a language, else in English, else in any."""
        return in_language(self.about.title, language or get_language() or "en")

    def summary(self, language: str | None = None) -> str:
        """What it does, in a sentence."""
        return in_language(self.about.summary, language or get_language() or "en")

    @property
    def category(self) -> str | Promise:
        """Its heading in the gallery."""
        return CATEGORIES.get(self.about.category, self.about.category.replace("-", " ").title())


def register_recipes(name: str, folder: Path) -> None:
    """Add a folder: each `*.json` in it is a recipe, called by the file's name.

    Args:
        name: Of whoever brings it, in small letters; its recipes are called `name-file`.
        folder: An absolute path.

    Raises:
        RegistrationError: The name is taken, there is no such folder, or Django has started.
    """
    if not folder.is_dir():
        raise RegistrationError(f"{folder} is no folder. Give the one with the recipes of {name}.")
    folders.register(name)(folder)


def recipes() -> Sequence[Recipe]:
    """Return every recipe, in the order of the gallery.

    Raises:
        BundleError: A file is no recipe; the message names it.
    """
    return _read(tuple(folders.all().items()))


@lru_cache(maxsize=4)
def _read(more: tuple[tuple[str, Path], ...]) -> tuple[Recipe, ...]:
    found = [*_folder("", OWN), *(one for name, path in more for one in _folder(f"{name}-", path))]
    places = list(CATEGORIES)

    def place(recipe: Recipe) -> tuple[int, str, int, str]:
        category = recipe.about.category
        known = places.index(category) if category in places else len(places)
        return known, category, recipe.about.order, recipe.identifier

    return tuple(sorted(found, key=place))


def _folder(prefix: str, folder: Path) -> Iterator[Recipe]:
    for path in sorted(folder.glob("*.json")):
        try:
            bundle = read_bundle(path.read_bytes())
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from error
        if bundle.about is None:
            raise BundleError(f"{path}: A recipe needs “about”, with “title” and “summary”.")
        yield Recipe(f"{prefix}{path.stem}", bundle, bundle.about)
