"""Bring a new look to the templates that are live: published texts are compiled and frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..exceptions import TriggersError
from .branding import brand_of
from .models import Template
from .publish import compile_template


@dataclass(frozen=True, slots=True)
class Standing:
    """How many templates of a site are live, and how many of them wear another look."""

    live: int
    outdated: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one template. `problem` is empty where it was compiled."""

    template: Template
    changed: bool
    problem: str = ""


def standing(site: Any) -> Standing:
    """Count the live templates of a site; a fixed number of queries."""
    looks = list(_live(site).values_list("live_version__look", flat=True))
    look = brand_of(site).digest
    return Standing(len(looks), sum(one != look for one in looks))


def recompile(site: Any) -> Iterator[Outcome]:
    """Compile every live template of a site again, each in its own transaction.

    A template that has become faulty keeps the version that it has, and says why. People who are in
    the middle of a journey get the new version where the template's editor said so.
    """
    for template in _live(site).select_related("locale", "site", "live_version"):
        before = template.live_version_id
        try:
            version = compile_template(template)
        except TriggersError as error:
            yield Outcome(template, changed=False, problem=str(error))
        else:
            yield Outcome(template, changed=version.pk != before)


def _live(site: Any) -> Any:
    return Template.objects.filter(site=site, live=True, live_version__isnull=False)
