"""The Liquid engine with everything dangerous taken out and every limit set.

What is changed against python-liquid, and why (each has its test):

- Tags and filters are an allow-list. No tag reads another template; nothing marks text as safe.
- A template's string literals are text, not markup: the editor's HTML goes through the sanitiser,
  and `{{ "<script>" }}` would go around it.
- Ranges are bounded. An unbounded one hangs in `contains` and in `reversed`, before any limit.
- Loops one after the other count together, weighted by what they hold; filters count by what they
  read. So no source that fits into the limits runs for seconds.
- Values meet filters as plain text and within bounds, before and after.
- Comparisons do not fail over data (`comparing.py`).
- There is no `now`: a message's time is the engine's, put into the context by whoever renders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from time import thread_time
from typing import Any, Final, TextIO

from liquid import BlockNode, BoundTemplate, Environment, Markup, Node, RenderContext
from liquid.builtin import content, illegal, output
from liquid.builtin import register as register_builtins
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags import for_tag
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    LiquidSyntaxError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.expression import Expression
from liquid.utils import ReadOnlyChainMap
from markupsafe import escape

from .comparing import COMPARISONS
from .filters import FILTERS, newline_to_br

MAX_ITERATIONS: Final = 2_000
MAX_NAMESPACE_BYTES: Final = 200_000
MAX_OUTPUT_BYTES: Final = 500_000
MAX_NESTING: Final = 30
#: Longest text that a filter may take or give.
MAX_FILTER_CHARS: Final = 200_000
#: Work that one rendering may do: a unit is a node rendered, or a filter over 1,000 characters.
#: An honest mail of 50 lines takes about 1,000 units; 200,000 take under a second.
MAX_WORK: Final = 200_000
#: Processor time that one rendering may take. The thread's own time: a paused worker is no attack.
MAX_CPU_SECONDS: Final = 1.0
_LOOK_EVERY: Final = 250
MAX_LOCALS: Final = 200
_MAX_NUMBER: Final = 10**40
#: A filter costs several nodes.
_FILTER_WORK: Final = 5

TAGS: Final = frozenset(
    {
        "assign",
        "break",
        "capture",
        "case",
        "comment",
        "continue",
        "cycle",
        "for",
        "if",
        "unless",
        "#",
    }
)
#: Tags that only stand inside others.
INNER_TAGS: Final = frozenset(
    {"else", "elsif", "when", "endif", "endunless", "endfor", "endcase", "endcapture", "endcomment"}
)
#: python-liquid's own filters that stay as they are.
_KEPT_FILTERS: Final = frozenset(
    {
        "append", "capitalize", "compact", "concat", "default", "downcase", "escape", "escape_once",
        "find", "find_index", "first", "has", "join", "last", "lstrip", "map", "prepend", "reject",
        "remove", "remove_first", "remove_last", "replace", "replace_first", "replace_last",
        "reverse", "rstrip", "size", "slice", "sort", "sort_natural", "split", "squish", "strip",
        "strip_html", "strip_newlines", "truncate", "truncatewords", "uniq", "upcase", "url_decode",
        "url_encode", "where",
    }
)  # fmt: skip
#: Their arguments are text: None is "" there, never "None".
_TEXT_FILTERS: Final = frozenset(
    {
        "append", "prepend", "remove", "remove_first", "remove_last", "replace", "replace_first",
        "replace_last", "split", "join", "truncate", "truncatewords",
    }
)  # fmt: skip


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


def as_text(value: object) -> str:
    """A value as a reader expects to see it; what is missing is "", never "None"."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple):
        return "".join(as_text(one) for one in value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


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


class Scope(ReadOnlyChainMap):
    """Names by scope. Asking costs a fifth of python-liquid's catching an exception a scope."""

    def __getitem__(self, key: str) -> object:
        for names in self._maps:
            if key in names:
                return names[key]
        raise KeyError(key)


class TextNode(OutputNode):
    """`{{ … }}`."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Write the value: escaped in HTML, unless it was escaped before."""
        value = self.expression.evaluate(context)
        text = value if isinstance(value, str) else as_text(value)
        return buffer.write(escape(text) if context.autoescape else text)


class _Output(output.Output):
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


class _For(for_tag.ForTag):
    node_class = LimitedForNode


def _cost(node: Node) -> int:
    return 1 + sum(map(_size, node.expressions()))


def _size(expression: Expression) -> int:
    return 1 + sum(map(_size, expression.children()))


def _nodes_outside_loops(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, for_tag.ForNode):
        return
    for child in node.children(_NO_CONTEXT):
        yield from _nodes_outside_loops(child)


class MessageContext(RenderContext):
    """One rendering: its variables, language, time zone and what it has spent so far."""

    __slots__ = ("deadline", "language", "loop_weights", "next_look", "time_zone", "work")

    def __init__(
        self,
        template: BoundTemplate,
        *,
        variables: Mapping[str, object],
        language: str,
        time_zone: str,
    ) -> None:
        super().__init__(template, globals=variables)
        # Without python-liquid's `now` and `today`.
        self.scope = Scope(self.locals, self.globals)
        self.language = language
        self.time_zone = time_zone
        self.work = 0
        self.loop_weights: list[int] = []
        self.deadline = thread_time() + MAX_CPU_SECONDS
        self.next_look = _LOOK_EVERY

    def spend(self, units: int) -> None:
        """Count work.

        Raises:
            ResourceLimitError: The rendering has spent what it may.
        """
        self.work += units
        if self.work > self.next_look:
            self.next_look = self.work + _LOOK_EVERY
            if self.work > MAX_WORK or thread_time() > self.deadline:
                raise ResourceLimitError("the template does too much work", token=None)

    def get(self, path: list[object], **kwargs: Any) -> object:
        """Resolve a path, which is what comparing and searching large texts cannot do without."""
        self.work += 1
        if self.work > self.next_look:
            self.spend(0)
        try:
            here = self.scope[path[0]]  # type: ignore[index]  # a root that is no text is a KeyError
            for segment in path[1:]:
                # Dicts are most of what a template reads; the rest is the long way's.
                if type(here) is not dict:
                    return super().get(path, **kwargs)
                here = here[segment]
        except (KeyError, TypeError):
            return super().get(path, **kwargs)
        return here

    def assign(self, key: str, val: Any) -> None:
        """Set a local variable.

        Raises:
            LocalNamespaceLimitError: There are too many, or they are too large.
        """
        if len(self.locals) >= MAX_LOCALS and key not in self.locals:
            raise LocalNamespaceLimitError("local namespace limit reached", token=None)
        super().assign(key, val)

    @contextmanager
    def loop(self, namespace: Any, forloop: Any) -> Iterator[RenderContext]:
        """Enter a loop, paying for all its rounds."""
        self.spend(forloop.length * (self.loop_weights[-1] + 1))
        with super().loop(namespace, forloop) as context:
            yield context

    def get_buffer(self, buf: Any = None) -> Any:
        """A buffer for `capture`, with what is left of the limit."""
        return Buffer(MAX_OUTPUT_BYTES - (buf.size if isinstance(buf, Buffer) else 0))

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        """The filter with this name, guarded."""
        return _Guarded(name, super().filter(name, token), self)


class _Guarded:
    """A filter that sees plain values within bounds, and gives no more than that."""

    __slots__ = ("context", "function", "name")

    def __init__(self, name: str, function: Callable[..., object], context: MessageContext) -> None:
        self.name = name
        self.function = function
        self.context = context

    def __call__(self, left: object, *args: object, **kwargs: object) -> object:
        left = self._taken(left)
        given = [self._taken(one) for one in args]
        if self.name in _TEXT_FILTERS:
            left = "" if left is None else left
            given = ["" if one is None else one for one in given]
        if self.name in {"replace", "join"}:
            _refuse_growth(self.name, left, given)
        if self.name == "join" and isinstance(left, list | tuple):
            left = [as_text(one) for one in left]
        return self._bounded(
            self.function(left, *given, **{k: self._taken(v) for k, v in kwargs.items()})
        )

    def _taken(self, value: object) -> object:
        if isinstance(value, Markup):
            # A filter could cut sanitised markup in two. As text it is escaped again at the end.
            value = value.unescape()
        return self._bounded(value)

    def _bounded(self, value: object) -> object:
        units = _FILTER_WORK
        if isinstance(value, str):
            if len(value) > MAX_FILTER_CHARS:
                raise _too_large(self.name)
            units += len(value) // 1_000
        elif isinstance(value, list | tuple | range):
            if len(value) > MAX_ITERATIONS:
                raise _too_large(self.name)
            units += len(value) // 10
            if self.name == "uniq":  # compares each item with every other
                units += len(value) ** 2 // 200
        elif isinstance(value, int | Decimal) and not -_MAX_NUMBER < value < _MAX_NUMBER:
            raise _too_large(self.name)
        self.context.spend(units)
        return value


def _too_large(name: str) -> ResourceLimitError:
    return ResourceLimitError(f"{name}: the value is too large", token=None)


def _refuse_growth(name: str, left: object, given: list[object]) -> None:
    """Refuse what would be built before its size could be looked at."""
    if name == "join" and isinstance(left, list | tuple):
        separator = len(as_text(given[0])) if given else 1
        size = sum(len(as_text(one)) + separator for one in left)
    elif name == "replace" and given:
        text, old = as_text(left), as_text(given[0])
        new = as_text(given[1]) if len(given) > 1 else ""
        size = len(text) + text.count(old) * len(new)
    else:
        return
    if size > MAX_FILTER_CHARS:
        raise _too_large(name)


class Sandbox(Environment):
    """An environment with the allow-list and the limits of security.md T1."""

    block_nesting_limit = MAX_NESTING
    context_depth_limit = MAX_NESTING
    loop_iteration_limit = MAX_ITERATIONS
    local_namespace_limit = MAX_NAMESPACE_BYTES
    output_stream_limit = MAX_OUTPUT_BYTES

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Register the allow-list, and nothing else."""
        register_builtins(self)
        internal = {content.Literal.name, output.Output.name, illegal.Illegal.name}
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | internal}
        for tag in (_Output, _For):
            self.add_tag(tag)
        self.filters = {n: f for n, f in self.filters.items() if n in _KEPT_FILTERS}
        self.filters.update(FILTERS)
        if self.autoescape:
            self.filters["newline_to_br"] = newline_to_br
        else:
            # A body is rendered as HTML and as text: what serves HTML does nothing to text.
            self.filters.update(dict.fromkeys(("newline_to_br", "escape", "escape_once"), as_text))

    def from_string(self, source: str, *args: Any, **kwargs: Any) -> BoundTemplate:
        """Parse, and put bounded ranges and plain literals in place of python-liquid's."""
        template = super().from_string(source, *args, **kwargs)
        for node in template.nodes:
            _harden(node)
        return template


def _harden(node: Node) -> None:
    if type(node) is BlockNode:
        node.__class__ = QuickBlock
    elif isinstance(node, OutputNode) and isinstance(node.expression, FilteredExpression):
        node.expression = node.expression if node.expression.filters else node.expression.left
    for expression in node.expressions():
        _harden_expression(expression)
    for child in node.children(_NO_CONTEXT):
        _harden(child)


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


class Buffer:
    """What a rendering writes to: pieces, and how many characters they have."""

    __slots__ = ("limit", "pieces", "size")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.pieces: list[str] = []
        self.size = 0

    def write(self, text: str) -> int:
        """Write.

        Raises:
            OutputStreamLimitError: It is too much.
        """
        self.size += len(text)
        if self.size > self.limit:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        self.pieces.append(text)
        return 1

    def getvalue(self) -> str:
        """Everything that was written."""
        # Not Markup's join: what is escaped here is escaped already.
        return "".join(map(str.__str__, self.pieces))


def render(
    template: BoundTemplate, variables: Mapping[str, object], *, language: str, time_zone: str
) -> str:
    """Render a parsed template.

    Raises:
        liquid.exceptions.LiquidError: The template failed or met a limit.
    """
    context = MessageContext(template, variables=variables, language=language, time_zone=time_zone)
    buffer = Buffer(MAX_OUTPUT_BYTES)
    for node in template.nodes:
        try:
            node.render_to_output(context, buffer)  # type: ignore[arg-type]  # all it needs is write
        except LiquidInterrupt as interrupt:
            raise LiquidSyntaxError(f"unexpected '{interrupt}'", token=node.token) from interrupt
        except LiquidError as error:
            if error.token is None:
                error.token = node.token
            raise
    text = buffer.getvalue()
    if not text.isascii() and len(text.encode("utf-8", "replace")) > MAX_OUTPUT_BYTES:
        raise OutputStreamLimitError("output stream limit reached", token=None)
    return text


HTML: Final = Sandbox(autoescape=True)
PLAIN: Final = Sandbox(autoescape=False)
_NO_CONTEXT: Final = RenderContext(BoundTemplate(HTML, []))
