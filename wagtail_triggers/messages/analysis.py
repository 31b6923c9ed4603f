"""Look through a template without rendering it: which tags, filters and variables does it use?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Node
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.capture_tag import CaptureNode
from liquid.builtin.tags.for_tag import ForNode
from liquid.expression import Expression

from .nodes import NO_CONTEXT
from .sandbox import HTML, INNER_TAGS, TAGS
from .tokens import Token, line_of
from .variables import ANY, NUMBER, TEXT, UnknownVariable, Variable, VariableTree

#: `| name`, outside of quotes, which were blanked before.
_FILTER: Final = re.compile(r"\|\s*([\w-]+)")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
#: Filters after which a list is still a list of the same things.
_SAME_LIST: Final = frozenset(
    {"sort", "sort_natural", "reverse", "uniq", "compact", "where", "reject", "slice"}
)
_ONE_ITEM: Final = frozenset({"first", "last", "find"})
_FORLOOP: Final = Variable(
    "object",
    fields={
        **dict.fromkeys(("index", "index0", "rindex", "rindex0", "length"), NUMBER),
        **dict.fromkeys(("first", "last"), Variable("boolean")),
        "name": TEXT,
        "parentloop": ANY,
    },
)
#: Words of the language that the lexer sometimes gives as names.
_WORDS: Final = frozenset({"empty", "blank", "nil", "null", "true", "false"})


@dataclass(frozen=True, slots=True)
class LiquidProblem:
    """One thing that an editor has to put right.

    Attributes:
        field: The field it stands in.
        line: Its line there, from 1.
        message: What is wrong and how to fix it, for people.
    """

    field: str
    line: int
    message: str

    def __str__(self) -> str:
        return _("Line %(line)d: %(message)s") % {"line": self.line, "message": self.message}


def check_names(tokens: Sequence[Token], source: str, field: str) -> list[LiquidProblem]:
    """Tags and filters that do not exist, each with its line and the nearest that does."""
    problems = []
    commented = False
    for token in tokens:
        if token.name in {"comment", "endcomment"}:
            commented = token.name == "comment"
        if token.kind == "text" or token.name == "#" or commented:
            continue
        line = line_of(source, token.start)
        if token.kind == "tag" and token.name not in TAGS | INNER_TAGS:
            message = _("There is no tag “%(name)s”.") % {"name": token.name}
            problems.append(LiquidProblem(field, line, message + _hint(token.name, TAGS)))
        for name in _FILTER.findall(_QUOTED.sub("", token.text)):
            if name not in HTML.filters:
                message = _("There is no filter “%(name)s”.") % {"name": name}
                problems.append(LiquidProblem(field, line, message + _hint(name, HTML.filters)))
    return problems


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return " " + _("Did you mean “%(near)s”?") % {"near": near[0]} if near else ""


def check_variables(
    template: BoundTemplate, variables: VariableTree, field: str
) -> Iterator[LiquidProblem]:
    """Variables that a parsed template uses and that do not exist."""
    reader = _Reader(variables, field)
    for node in template.nodes:
        yield from reader.read(node, {})


class _Reader:
    """Walks a template, knowing at each place which local names exist and what they hold."""

    def __init__(self, variables: VariableTree, field: str) -> None:
        self.variables = variables
        self.field = field
        #: `assign` and `capture` reach everything that follows, out of blocks too.
        self.assigned: dict[str, Variable] = {}

    def read(self, node: Node, scope: Mapping[str, Variable]) -> Iterator[LiquidProblem]:
        """Problems of a node and of all below it."""
        here = {**self.assigned, **scope}
        for expression in node.expressions():
            yield from self._read_expression(expression, here)
        if isinstance(node, OutputNode):
            yield from self._read_output(node, here)
        inner = scope
        if isinstance(node, ForNode):
            inner = {**scope, **self._loop_scope(node.expression, here)}
        for child in node.children(NO_CONTEXT):
            yield from self.read(child, inner)
        if isinstance(node, AssignNode):
            self.assigned[str(node.name)] = self._type_of(node.expression, here)
        elif isinstance(node, CaptureNode):
            self.assigned[str(node.name)] = TEXT

    def _read_expression(
        self, expression: Expression, scope: Mapping[str, Variable]
    ) -> Iterator[LiquidProblem]:
        if isinstance(expression, Path):
            try:
                self.variables.resolve(expression.path, scope)
            except UnknownVariable as unknown:
                if str(expression.path[0]) not in _WORDS:
                    yield self._unknown(expression, unknown, scope)
        for child in expression.children():
            yield from self._read_expression(child, scope)

    def _unknown(
        self, path: Path, unknown: UnknownVariable, scope: Mapping[str, Variable]
    ) -> LiquidProblem:
        near = unknown.suggestion
        if not near and len(path.path) == 1:
            near = self._elsewhere(str(path.path[0]))
        message = _("There is no variable “%(name)s”.") % {"name": unknown.path}
        if near:
            message += " " + _("Did you mean “%(near)s”?") % {"near": near}
        return LiquidProblem(self.field, self._line(path), message)

    def _elsewhere(self, name: str) -> str:
        """`{{ first_name }}` means `contact.first_name`: look for the name one level down."""
        for root, variable in self.variables.roots.items():
            if name in variable.fields:
                return f"{root}.{name}"
        return ""

    def _read_output(
        self, node: OutputNode, scope: Mapping[str, Variable]
    ) -> Iterator[LiquidProblem]:
        kind = self._type_of(node.expression, scope).kind
        hints = {
            "money": _("Write “| money” after it, to show it as a price."),
            "object": _("Name one of its fields."),
            "list": _("Go through it with “for”."),
        }
        if kind in hints:
            message = _("“%(name)s” is not a text.") % {"name": str(node.expression)}
            line = self._line(node.expression)
            yield LiquidProblem(self.field, line, f"{message} {hints[kind]}")

    def _loop_scope(
        self, loop: LoopExpression, scope: Mapping[str, Variable]
    ) -> dict[str, Variable]:
        held = self._type_of(loop.iterable, scope)
        item = held.item if held.kind == "list" and held.item is not None else ANY
        return {str(loop.identifier): item, "forloop": _FORLOOP}

    def _type_of(self, expression: Expression, scope: Mapping[str, Variable]) -> Variable:
        filters: Sequence[str] = ()
        if isinstance(expression, FilteredExpression):
            filters = [one.name for one in expression.filters or ()]
            expression = expression.left
        if not isinstance(expression, Path):
            return ANY
        try:
            found = self.variables.resolve(expression.path, scope)
        except UnknownVariable:
            return ANY
        for name in filters:
            if found.kind == "list" and name in _ONE_ITEM:
                found = found.item or ANY
            elif found.kind != "list" or name not in _SAME_LIST:
                return ANY
        return found

    @staticmethod
    def _line(expression: Expression) -> int:
        return line_of(expression.token.source, expression.token.start_index)
