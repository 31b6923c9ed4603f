"""What is wrong with a journey, said so that an editor finds the place and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from ..exceptions import GraphError

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    `node` is the id of the node at fault, or "" where the graph as a whole is; `field` is the
    setting (dotted, as in "filter.all.0.value"), or "". A journey with an error cannot be
    published; a warning is shown and lets it pass.
    """

    node: str
    field: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """Return "node.field: message", without the parts that are empty."""
        place = ".".join(part for part in (self.node, self.field) if part)
        return f"{place}: {self.message}" if place else self.message


class InvalidGraph(GraphError):
    """The journey's graph cannot be used.

    `problems` holds everything that was found, not only the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems) or None)


def did_you_mean(wrong: object, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest of `known`, else a list of them, else ""."""
    names = sorted(known)
    near = difflib.get_close_matches(str(wrong), names, n=1)
    if near:
        return " " + _("Did you mean “%(name)s”?") % {"name": near[0]}
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return " " + _("Known are: %(names)s.") % {"names": shown}
