"""What stands in the way of publishing a template, found before it is published."""

from __future__ import annotations

from collections.abc import Iterator

from .blocks.assemble import BlockProblem, check_body
from .blocks.base import Mail
from .branding import sender_of
from .liquid import check
from .models import Template
from .preview import preview
from .samples import variables_for

#: The fields that hold one line of Liquid each.
LINES = ("subject", "preheader")


def lint(template: Template) -> Iterator[tuple[str, str | BlockProblem]]:
    """Yield the field and the words of each problem; in the body, the block that has it.

    First unknown tags, filters and variables; where there are none, the template is rendered with
    made-up data, which finds the rest.

    Args:
        template: With the form's values, saved or not.
    """
    variables = variables_for(template.event)
    found = False
    for field in LINES:
        for problem in check(getattr(template, field), variables=variables, field=field):
            found = True
            yield field, problem.message
    mail = Mail(sender_of(template.site).brand)
    for fault in check_body(template.body, variables, mail):
        found = True
        yield "body", fault
    if not found:
        shown = preview(template)
        if shown.problem:
            yield shown.field, shown.problem
