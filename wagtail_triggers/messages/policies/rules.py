"""What each site wants of its marketing: read from its settings, in three queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ...consent.caps import Cap
from ...consent.models import FrequencyCap, QuietHours
from ...consent.quiet import Window
from ..models import TriggersSettings

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The policies of a site.

    Attributes:
        caps: Frequency caps.
        quiet: Quiet hours, on each person's own clock.
        spread: Minutes over which what was held at night is spread in the morning.
        zone: Where people live whose own zone is not known; "" for the project's.
        digest: The translation key of the digest's template, or "".
    """

    caps: tuple[Cap, ...] = ()
    quiet: tuple[Window, ...] = ()
    spread: int = 0
    zone: str = ""
    digest: str = ""


def rules_of(site_ids: Collection[int]) -> dict[int, SiteRules]:
    """The policies of each of these sites; the defaults where nobody has set any."""
    caps: dict[int, list[Cap]] = defaultdict(list)
    for cap in FrequencyCap.objects.filter(settings__site_id__in=site_ids).select_related(
        "settings"
    ):
        caps[cap.settings.site_id].append(Cap(cap.limit, cap.window, cap.channel))
    quiet: dict[int, list[Window]] = defaultdict(list)
    for hours in QuietHours.objects.filter(settings__site_id__in=site_ids).select_related(
        "settings"
    ):
        days = frozenset(map(int, hours.weekdays))
        quiet[hours.settings.site_id].append(Window(hours.begins, hours.ends, days))
    rows = TriggersSettings.objects.filter(site_id__in=site_ids).select_related("digest_template")
    own = {row.site_id: row for row in rows}
    found = {}
    for site_id in site_ids:
        row = own.get(site_id) or TriggersSettings()
        weekly = (Cap(row.weekly_limit, _WEEK),) if row.weekly_limit else ()
        template = row.digest_template
        found[site_id] = SiteRules(
            caps=(*weekly, *caps[site_id]),
            quiet=tuple(quiet[site_id]),
            spread=row.quiet_spread_minutes,
            zone=row.time_zone,
            digest=str(template.translation_key) if template is not None else "",
        )
    return found
