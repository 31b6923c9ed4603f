"""Find the frozen version of a template that a person should get, in their language; in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings as django_settings

from .models import Template, TemplateVersion


class Versions:
    """The live versions of some templates, by language.

    Args:
        keys: Translation keys of templates, as the steps name them; those that are no UUID are
            never found.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        wanted = {key for key in keys if _is_key(key)}
        self._found: dict[str, dict[str, TemplateVersion]] = defaultdict(dict)
        rows = Template.objects.filter(
            translation_key__in=wanted, live=True, live_version__isnull=False
        ).select_related("live_version")
        for template in rows if wanted else ():
            version = template.live_version
            if version is not None:
                self._found[str(template.translation_key)][version.language] = version

    def find(self, key: str, language: str) -> TemplateVersion | None:
        """The version in this language, else in its base language, else the project's, else any.

        None where no translation of the template is published.
        """
        by_language = self._found.get(str(key).lower(), {})
        for code in (language, language.split("-")[0], django_settings.LANGUAGE_CODE):
            if code in by_language:
                return by_language[code]
        base = django_settings.LANGUAGE_CODE.split("-")[0]
        return by_language.get(base) or next(iter(by_language.values()), None)


def _is_key(key: str) -> bool:
    try:
        UUID(str(key))
    except ValueError:
        return False
    return True
