"""Which site a row belongs to. A worker never guesses it from a request."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.db.models.signals import post_delete, post_save

from ..exceptions import ConfigurationError

_default: list[int] = []


def default_site_id() -> int:
    """The id of Wagtail's default site; read once per process, until a site changes.

    Raises:
        ConfigurationError: No site is marked as the default one.
    """
    if not _default:
        from wagtail.models import Site

        found = Site.objects.filter(is_default_site=True).values_list("pk", flat=True).first()
        if found is None:
            raise ConfigurationError(
                "No default site. Mark one under Settings > Sites in the Wagtail admin, or pass "
                "site=… to the call."
            )
        _default.append(found)
    return _default[0]


def site_id(site: Any = None) -> int:
    """The id of `site` (a Site, an id or None for the default one)."""
    if site is None:
        return default_site_id()
    return int(getattr(site, "pk", site))


def name_of(site: Any) -> str:
    """What people call a Wagtail Site: its own name, else the project's, else its host."""
    own = site.site_name or getattr(django_settings, "WAGTAIL_SITE_NAME", "")
    return str(own or site.hostname)


def forget(**_kwargs: Any) -> None:
    """Forget the remembered default site; called when any site is saved or deleted."""
    _default.clear()


def connect() -> None:
    """Listen for changes of sites. Called once from `AppConfig.ready()`."""
    from wagtail.models import Site

    post_save.connect(forget, sender=Site, dispatch_uid="wagtail_triggers.sites")
    post_delete.connect(forget, sender=Site, dispatch_uid="wagtail_triggers.sites")
    setting_changed.connect(forget, dispatch_uid="wagtail_triggers.sites")
