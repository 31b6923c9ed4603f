"""On which sites a permission holds: Wagtail's own permissions about snippets know no sites.

A permission that somebody has through a group holds on the sites that the group serves, on every
site where nothing is said of that (`SiteAccess`). What a superuser has, or somebody was given in
person, holds everywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.db.models import Q

from .models import SiteAccess

APP: Final = "wagtail_triggers"
#: Where what was found is kept, for the length of a request.
_CACHE: Final = "_triggers_site_access"
#: The one site that a request is about.
_ONLY: Final = "_triggers_only_site"

#: Site ids; None stands for every site.
Sites = frozenset[int] | None


def sites_of(user: Any, codename: str) -> Sites:
    """Return the sites on which `user` has the permission of ours with this codename."""
    if not user.has_perm(f"{APP}.{codename}"):
        return frozenset()
    if user.is_superuser:
        return None
    # A permission that no group gives was given in person, or by a backend of the host's.
    return _by_group(user).get(codename)


def sites_of_any(user: Any, codenames: Iterable[str]) -> Sites:
    """Return the sites on which `user` has one of these permissions."""
    found: set[int] = set()
    for codename in codenames:
        sites = sites_of(user, codename)
        if sites is None:
            return None
        found |= sites
    return frozenset(found)


def has(user: Any, codename: str, site_id: int | None = None) -> bool:
    """Say whether `user` has a permission on a site; without one: on any.

    While a request is about one row, "any" is the site of that row (`narrow`).
    """
    sites = sites_of(user, codename)
    if site_id is None:
        site_id = getattr(user, _ONLY, None)
    if sites is None or site_id is None:
        return sites is None or bool(sites)
    return site_id in sites


def narrow(user: Any, site_id: int) -> None:
    """Let every permission be asked about this site from here on, for the rest of the request.

    Wagtail's views ask whether somebody may change *journeys*; what is meant is this one.
    """
    setattr(user, _ONLY, site_id)


def _by_group(user: Any) -> dict[str, Sites]:
    """The sites of each permission that groups give and that does not hold everywhere; cached."""
    found: dict[str, Sites] | None = getattr(user, _CACHE, None)
    if found is None:
        found = _looked_up(user)
        setattr(user, _CACHE, found)
    return found


def _looked_up(user: Any) -> dict[str, Sites]:
    """Three queries; one where no group of the user's is bound to a site."""
    served: dict[int, set[int]] = defaultdict(set)
    for group, site in SiteAccess.objects.filter(group__user=user).values_list("group", "site"):
        served[group].add(site)
    if not served:
        return {}
    ours = Permission.objects.filter(content_type__app_label=APP)
    everywhere = set(
        ours.filter(Q(user=user) | Q(group__in=user.groups.exclude(pk__in=served))).values_list(
            "codename", flat=True
        )
    )
    sites: dict[str, set[int]] = defaultdict(set)
    for codename, group in ours.filter(group__in=served).values_list("codename", "group"):
        sites[codename] |= served[group]
    return {name: frozenset(own) for name, own in sites.items() if name not in everywhere}
