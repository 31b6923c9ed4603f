"""Translations are whole, compiled, and keep what code puts into them."""

from __future__ import annotations

import re
from gettext import GNUTranslations
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.utils.translation import gettext, ngettext, override

from tests.translate import LANGUAGES, path_of

_PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|%%|\{\{.*?\}\}|<[^>]+>")


def catalogue(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=LANGUAGES[language])


def forms(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value or "",)


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_is_whole_and_not_guessed(language: str) -> None:
    unfinished = [
        message.id
        for message in messages(language)
        if message.fuzzy or not all(forms(message.string))
    ]
    assert unfinished == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_has_every_plural_form(language: str) -> None:
    wanted = catalogue(language).num_plurals
    counts = {len(forms(message.string)) for message in messages(language) if message.pluralizable}
    assert counts == {wanted}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translation_keeps_placeholders_and_markup(language: str) -> None:
    broken = []
    for message in messages(language):
        wanted = sorted(_PLACE.findall(forms(message.id)[-1]))
        broken += [form for form in forms(message.string) if sorted(_PLACE.findall(form)) != wanted]
    assert broken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_translation_is_that_of_the_source(language: str) -> None:
    with path_of(language, "mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in messages(language):
        if not message.pluralizable:
            known_as = forms(message.id)[0]
            found_as = (
                compiled.pgettext(message.context, known_as)
                if message.context
                else compiled.gettext(known_as)
            )
            assert found_as == message.string
            continue
        singular, plural = forms(message.id)
        found = {compiled.ngettext(singular, plural, number) for number in range(200)}
        assert found == set(forms(message.string))
    known = {key if isinstance(key, str) else key[0] for key in vars(compiled)["_catalog"]}
    # gettext puts a context before the text, with an end of transmission between them.
    assert known - {""} == {
        f"{message.context}\x04{forms(message.id)[0]}" if message.context else forms(message.id)[0]
        for message in messages(language)
    }


def test_django_finds_the_translations() -> None:
    with override("ru"):
        assert gettext("Journeys") == "Цепочки"
        found = [ngettext("%(n)d week", "%(n)d weeks", n) % {"n": n} for n in (1, 3, 5, 21)]
        assert found == ["1 неделя", "3 недели", "5 недель", "21 неделя"]
    with override("zh-hans"):
        assert gettext("Journeys") == "旅程"
        assert ngettext("%(n)d week", "%(n)d weeks", 2) % {"n": 2} == "2 周"
