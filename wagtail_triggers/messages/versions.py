"""Find the frozen version of a template that a person should get, in their language; in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings as django_settings

from .models import Template, TemplateVersion


class Versions:
    """The live versions of some templates, by language.

    Args:
        keys: Translation keys of templates, as the steps name them; those that are no UUID are
            never found.
        since: The earliest moment at which one of the people began whose versions will be asked
            for; None where nobody is on their way. Only then is a second query needed, if at all.
    """

    def __init__(self, keys: Iterable[str], since: datetime | None = None) -> None:
        wanted = {key for key in keys if _is_key(key)}
        self._found: dict[str, dict[str, TemplateVersion]] = defaultdict(dict)
        rows = Template.objects.filter(
            translation_key__in=wanted, live=True, live_version__isnull=False
        ).select_related("live_version")
        for template in rows if wanted else ():
            version = template.live_version
            if version is not None:
                self._found[str(template.translation_key)][version.language] = version
        self._before = self._versions_before(since) if since is not None else {}

    def find(
        self, key: str, language: str, since: datetime | None = None
    ) -> TemplateVersion | None:
        """The version in this language, else in its base language, else the project's, else any.

        Args:
            key: The template's translation key.
            language: The person's.
            since: When they began. They get no text that came later, unless its editor said that
                it is for people on their way too. None: the live version.

        Returns:
            None where no translation of the template is published.
        """
        live = self._live(key, language)
        if live is None or since is None or live.follow or live.created_at <= since:
            return live
        older = self._before.get(live.template_id, [])
        for version in older:
            if version.follow or version.created_at <= since:
                return version
        # Whoever began before there was any gets the first.
        return older[-1] if older else live

    def _live(self, key: str, language: str) -> TemplateVersion | None:
        by_language = self._found.get(str(key).lower(), {})
        for code in (language, language.split("-")[0], django_settings.LANGUAGE_CODE):
            if code in by_language:
                return by_language[code]
        base = django_settings.LANGUAGE_CODE.split("-")[0]
        return by_language.get(base) or next(iter(by_language.values()), None)

    def _versions_before(self, since: datetime) -> dict[int, list[TemplateVersion]]:
        """Older versions of templates whose live one is not for everybody; the newest first.

        Their texts are left out: a message points at its version, and is rendered later.
        """
        changed = [
            version.template_id
            for by_language in self._found.values()
            for version in by_language.values()
            if not version.follow and version.created_at > since
        ]
        older: dict[int, list[TemplateVersion]] = defaultdict(list)
        if changed:
            rows = TemplateVersion.objects.filter(template__in=changed).order_by("-number")
            for version in rows.defer("html", "text", "subject", "preheader", "data"):
                older[version.template_id].append(version)
        return older


def _is_key(key: str) -> bool:
    try:
        UUID(str(key))
    except ValueError:
        return False
    return True
