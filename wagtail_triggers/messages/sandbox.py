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

from collections.abc import Mapping
from typing import Any, Final

from liquid import BoundTemplate, Environment
from liquid.builtin import content, illegal, output
from liquid.builtin import register as register_builtins
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    LiquidSyntaxError,
    OutputStreamLimitError,
)

from .filters import FILTERS, newline_to_br
from .nodes import ForTag, OutputTag, harden
from .rendering import MAX_ITERATIONS, MAX_OUTPUT_BYTES, Buffer, MessageContext, as_text

MAX_NAMESPACE_BYTES: Final = 200_000
MAX_NESTING: Final = 30

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
        for tag in (OutputTag, ForTag):
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
            harden(node)
        return template


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
