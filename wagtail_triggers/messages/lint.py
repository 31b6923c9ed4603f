"""What stands in the way of publishing a template, found before it is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .liquid import LiquidProblem, check
from .models import Template
from .preview import preview
from .samples import variables_for

#: The fields that hold Liquid.
FIELDS = ("subject", "preheader", "body")


def lint(template: Template, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the field and the words of each problem.

    First unknown tags, filters and variables; where there are none, the template is rendered with
    made-up data, which finds the rest.

    Args:
        template: With the form's values, saved or not.
        texts: The values of `FIELDS`.
    """
    variables = variables_for(template.event)
    found: list[LiquidProblem] = [
        problem
        for field in FIELDS
        for problem in check(texts.get(field, ""), variables=variables, field=field)
    ]
    for problem in found:
        # The others have but one line.
        yield problem.field, str(problem) if problem.field == "body" else problem.message
    if not found:
        shown = preview(template)
        if shown.problem:
            yield shown.field, shown.problem
