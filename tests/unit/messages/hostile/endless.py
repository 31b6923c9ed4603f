"""200 templates that would take for ever, or all there is, if nobody counted."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

#: Grows a text, a list or a number; `%d` is how often.
_GROWERS: Final = (
    ("{% assign a = 'xxxxxxxxxx' %}", "{% assign a = a | append: a %}"),
    ("{% assign a = 'xx' %}", "{% assign a = a | replace: 'x', 'xxxxxxxx' %}"),
    ("{% assign a = 'x,y' | split: ',' %}", "{% assign a = a | concat: a %}"),
    ("{% assign a = 99 %}", "{% assign a = a | times: a %}"),
    ("{% assign a = 'x' %}", "{% capture a %}{{ a }}{{ a }}{% endcapture %}"),
    ("{% assign a = 'x y' %}", "{% assign a = a | prepend: a | url_encode %}"),
)
#: What then does the work.
_WORK: Final = (
    "{{ a | upcase | size }}",
    "{{ a | strip_html | size }}",
    "{{ a | escape | escape | size }}",
    "{{ a | replace: 'x', 'yy' | size }}",
    "{{ a | split: '' | sort | join: ',' | size }}",
    "{{ a | split: 'x' | uniq | size }}",
    "{{ a | truncatewords: 9999 | size }}",
    "{{ a | slice: 0, 999999 | reverse | size }}",
    "{{ a | url_encode | url_decode | size }}",
    "{% if a contains 'xxxxxxxxxxy' %}y{% endif %}",
    "{% if a == a and a contains a %}y{% endif %}",
    "{{ a | newline_to_br | strip_newlines | size }}",
    "{{ a | squish | size }}{{ a | remove: 'xx' | size }}",
    "{{ a | round: 999999 }}",
)
_RANGES: Final = ("(1..2000)", "(1..1000000000)", "(1..a)", "cart.lines", "a", "(-999999999..9)")
#: What the reader of the source itself chokes on.
_SHAPES: Final = (
    lambda n: "{{ " * n,
    lambda n: "{% " * n,
    lambda n: "{{ a" + " " * n + "}}",
    lambda n: "{{ a" + " |" * n + " }}",
    lambda n: "{{ a" + "[a" * n + "]" * n + " }}",
    lambda n: "{{ a" + ".a" * n + " }}",
    lambda n: "{{ " + "'" * n + " }}",
    lambda n: "{{ a | default: " + "(" * n + " }}",
    lambda n: "{% if " + "a and " * n + "a %}x{% endif %}",
    lambda n: "{% if " + "not " * n + "a %}x{% endif %}",
    lambda n: "{% if " + "(" * n + "a" + ")" * n + " %}x{% endif %}",
    lambda n: "{% if a %}" * n + "{% endif %}" * n,
    lambda n: "{% for a in cart.lines %}" * n + "{% endfor %}" * n,
    lambda n: "{% capture a %}" * n + "{% endcapture %}" * n,
    lambda n: "{% case a %}" + "{% when 1 %}" * n + "{% endcase %}",
    lambda n: "{% case a %}{% when " + "1, " * n + "2 %}x{% endcase %}",
    lambda n: "{% comment %}" * n + "{% endcomment %}" * n,
    lambda n: "{% cycle " + "'a', " * n + "'b' %}",
    lambda n: "".join(f"{{% assign v{i} = 'x' %}}" for i in range(n)),
    lambda n: "{{ a" + " | append: a" * n + " }}",
    lambda n: "{{ a | date: '" + "y" * n + "' }}",
    lambda n: "{{ " + "9" * n + " | times: " + "9" * n + " }}",
    lambda n: "{{ 1e" + "9" * min(n, 9) + " | plus: 1 }}",
    lambda n: "{%" + "-" * n + "%}",
    lambda n: "<" * n + "{{ a }}",
    lambda n: "{" * n,
    lambda n: "{% liquid\n" + "echo a\n" * n + "%}",
    lambda n: "{{ a | " + "x" * n + " }}",
)
_SIZES: Final = (50, 900, 15_000)


def templates(seed: int = 16) -> Iterator[str]:
    """200 templates, always the same for a seed."""
    random = Random(seed)
    found = [shape(size)[: 64 * 1024] for shape in _SHAPES for size in _SIZES]
    while len(found) < 200:
        start, grow = random.choice(_GROWERS)
        times = random.choice((8, 13, 20, 40))
        work = random.choice(_WORK)
        outer, inner = random.choice(_RANGES), random.choice(_RANGES)
        ending = random.choice(
            (
                work * random.choice((1, 40, 1_000)),
                "{% for i in " + outer + " %}" + work + "{% endfor %}",
                "{% for i in " + outer + " reversed %}{% for j in " + inner + " %}" + work
                + "{% endfor %}{% endfor %}",
                ("{% for i in " + outer + " %}" + work + "{% endfor %}") * 60,
            )
        )  # fmt: skip
        found.append((start + grow * times + ending)[: 64 * 1024])
    yield from found[:200]
