"""`python3 devenv.py tests -m tests.translate`: collect strings into .po files, compile the .mo.

It needs Babel alone, which the package brings; no gettext tools. New strings come in empty, and
`tests/unit/test_locale.py` fails until they are translated. Strings that are gone are left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGE: Final = Path(__file__).resolve().parents[1] / "wagtail_triggers"
LOCALE: Final = PACKAGE / "locale"
#: Django's names of languages, and Babel's.
LANGUAGES: Final = {"ru": "ru", "zh_Hans": "zh_Hans_CN"}

#: How our code calls gettext; the tuples say which argument is what, as xgettext does.
KEYWORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("_", "_t", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_LITERAL: Final = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
#: A call in what Django makes of a template; all around it is no Python.
_CALL: Final = re.compile(
    rf"\b(?:_|gettext|n?pgettext|ngettext)\({_LITERAL}(?:, ?{_LITERAL})*", re.S
)


def path_of(language: str, suffix: str = "po") -> Path:
    """Where a language's catalogue lies."""
    return LOCALE / language / "LC_MESSAGES" / f"django.{suffix}"


def sources() -> Iterator[tuple[str, str]]:
    """Every file that may hold strings: its path, and Python that calls gettext for each."""
    for path in sorted(PACKAGE.rglob("*")):
        name = str(path.relative_to(PACKAGE.parent))
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield name, path.read_text(encoding="utf-8")
        elif path.suffix in {".html", ".mjml"}:
            blanked = templatize(path.read_text(encoding="utf-8"), origin=name)
            yield name, "\n".join(f"{match[0]})" for match in _CALL.finditer(blanked))


def collected() -> Catalog:
    """All strings of the package, with the files in which they stand."""
    catalog = Catalog(project="wagtail_triggers", charset="utf-8")
    for name, text in sources():
        stream = io.BytesIO(text.encode())
        for _line, message, _comments, context in extract("python", stream, keywords=KEYWORDS):
            if message and message != "":
                catalog.add(message, locations=[(name, 0)], context=context)
    return catalog


def update(language: str, strings: Catalog) -> list[str]:
    """Bring a language's .po up to date and compile it; returns what is not translated."""
    path = path_of(language)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=LANGUAGES[language])
    else:
        known = Catalog(locale=LANGUAGES[language], project=strings.project, fuzzy=False)
    known.update(strings, no_fuzzy_matching=True)
    known.obsolete.clear()
    known.revision_date = datetime.now(UTC)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, known, width=100, no_location=True)
    with path_of(language, "mo").open("wb") as file:
        write_mo(file, known)
    return [str(one.id) for one in known if one.id and not _is_translated(one.string)]


def _is_translated(string: Any) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def main() -> None:
    """Update every language and say what is left to do."""
    strings = collected()
    for language in LANGUAGES:
        missing = update(language, strings)
        print(f"{language}: {len(strings)} strings, {len(missing)} not translated")
        for one in missing:
            print(f"  {one}")


if __name__ == "__main__":
    main()
