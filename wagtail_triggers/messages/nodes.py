"""The nodes and expressions that take the place of python-liquid's; `sandbox.py` says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TextIO

from liquid import BlockNode, BoundTemplate, Environment, Node, RenderContext
from liquid.builtin import output
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags import for_tag
from liquid.exceptions import LoopIterationLimitError
from liquid.expression import Expression
from markupsafe import escape

from .comparing import COMPARISONS
from .rendering import MAX_ITERATIONS, MessageContext, as_text

#: `Node.children` wants a context, for tags that load templates; there are none.
NO_CONTEXT: Final = RenderContext(BoundTemplate(Environment(), []))


class LimitedRange(RangeLiteral):
    """A range of at most `MAX_ITERATIONS` numbers."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        made: range = super()._make_range(start, stop)
        if made.stop - made.start > MAX_ITERATIONS:
            raise LoopIterationLimitError("loop iteration limit reached", token=self.token)
        return made


class PlainLiteral(StringLiteral):
    """A text in a template's source that is escaped like any other text."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> str:
        """The text, never as markup."""
        return self.value


class QuickPath(Path):
    """A path of fixed names: python-liquid copies it each time, for nested paths' sake."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        """What the path leads to."""
        return context.get(self.path, token=self.token)  # type: ignore[arg-type]  # names only


class QuickBlock(BlockNode):
    """A block that does not add up what its nodes say they wrote, which nobody reads."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the nodes."""
        if self.blank:
            return super().render_to_output(context, buffer)
        for node in self.nodes:
            node.render_to_output(context, buffer)
        return 1


class TextNode(OutputNode):
    """`{{ … }}`."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value: escaped in HTML, unless it was escaped before."""
        value = self.expression.evaluate(context)
        text = value if isinstance(value, str) else as_text(value)
        return buffer.write(escape(text) if context.autoescape else text)


class OutputTag(output.Output):
    """Reads `{{ … }}`."""

    node_class = TextNode


class LimitedForNode(for_tag.ForNode):
    """A loop that pays for what it is going to do before it does it."""

    __slots__ = ("weight",)

    def render_to_output(self, context: MessageContext, buffer: TextIO) -> int:  # type: ignore[override]  # ours is the only context
        """Render the loop under the rendering's budget."""
        context.loop_weights.append(self._weight())
        try:
            return super().render_to_output(context, buffer)
        finally:
            context.loop_weights.pop()

    def _weight(self) -> int:
        """What one round costs, without the loops within, which pay for themselves."""
        try:
            return self.weight
        except AttributeError:
            self.weight: int = sum(map(_cost, _nodes_outside_loops(self.block)))
            return self.weight


class ForTag(for_tag.ForTag):
    """Reads `{% for … %}`."""

    node_class = LimitedForNode


def _cost(node: Node) -> int:
    return 1 + sum(map(_size, node.expressions()))


def _size(expression: Expression) -> int:
    return 1 + sum(map(_size, expression.children()))


def _nodes_outside_loops(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, for_tag.ForNode):
        return
    for child in node.children(NO_CONTEXT):
        yield from _nodes_outside_loops(child)


def harden(node: Node) -> None:
    """Put our classes in place of python-liquid's, in a node and in all below it."""
    if type(node) is BlockNode:
        node.__class__ = QuickBlock
    elif isinstance(node, OutputNode) and isinstance(node.expression, FilteredExpression):
        node.expression = node.expression if node.expression.filters else node.expression.left
    for expression in node.expressions():
        _harden_expression(expression)
    for child in node.children(NO_CONTEXT):
        harden(child)


def _harden_expression(expression: Expression) -> None:
    # The parser builds these classes by name and offers no seam; ours have the same layout.
    if type(expression) is RangeLiteral:
        expression.__class__ = LimitedRange
    elif type(expression) is Path and all(type(one) is not Path for one in expression.path):
        expression.__class__ = QuickPath
    elif type(expression) is StringLiteral:
        expression.__class__ = PlainLiteral
    elif type(expression) in COMPARISONS:
        expression.__class__ = COMPARISONS[type(expression)]
    for child in expression.children():
        _harden_expression(child)
