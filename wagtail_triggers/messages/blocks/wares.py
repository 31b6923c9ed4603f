"""How products are shown: below each other, as in a cart, or side by side, as in a shop.

Everything is Liquid around a list that is only known for each recipient. Each part of a product may
be missing: a picture, an address, a price, the name; one without any name is left out.
"""

from __future__ import annotations

from ..layout import literal, plain_literal
from .base import Mail

#: Shown where a line has no name of its own.
_NAME = "{{ line.name | default: line.sku }}"
_EACH = "{%% for line in %s %%}{%% if line.name or line.sku %%}"
_END = "{% endif %}{% endfor %}"


def lines_html(items: str, mail: Mail, *, pictures: bool = True, rows: str = "") -> str:
    """A table of lines.

    Args:
        items: The list's path, such as `cart.lines`.
        mail: For its colours.
        pictures: Whether to show them.
        rows: Further rows, below.
    """
    return (
        f'<table class="lines" role="presentation"><tbody>{_EACH % items}<tr>'
        f"{_picture_cell(mail) if pictures else ''}"
        f"<td>{_linked_name()}"
        "{% if line.quantity > 1 %}"
        '<br><span class="muted">{{ line.quantity | number }} &times; '
        "{{ line.unit_price | money }}</span>{% endif %}</td>"
        '<td class="number">{% if line.unit_price %}'
        "{% if line.quantity > 1 %}"
        "{{ line.unit_price.amount | times: line.quantity | money: line.unit_price.currency }}"
        "{% else %}{{ line.unit_price | money }}{% endif %}"
        f"{{% endif %}}</td></tr>{_END}{rows}</tbody></table>"
    )


def _picture_cell(mail: Mail) -> str:
    radius = min(mail.brand.radius, 12)
    return (
        '<td class="picture">{% if line.image_url %}'
        f'<img src="{{{{ line.image_url }}}}" alt="" width="72" height="72" '
        f'style="display: block; border-radius: {radius}px">{{% endif %}}</td>'
    )


def _linked_name() -> str:
    return (
        '{% if line.url %}<a class="name" href="{{ line.url }}">'
        f'{_NAME}</a>{{% else %}}<span class="name">{_NAME}</span>{{% endif %}}'
    )


def lines_text(items: str) -> str:
    """The same lines in plain text."""
    return (
        f"{_EACH % items}- "
        "{% if line.quantity > 1 %}{{ line.quantity | number }} x {% endif %}"
        f"{_NAME}{{% if line.unit_price %}}: {{% if line.quantity > 1 %}}"
        "{{ line.unit_price.amount | times: line.quantity | money: line.unit_price.currency }}"
        "{% else %}{{ line.unit_price | money }}{% endif %}{% endif %}"
        f"\n{_END}"
    )


def sum_row(label: str, money: str, *, columns: int, kind: str = "sum") -> str:
    """A row with a sum, if there is one.

    Args:
        label: What it is, translated.
        money: The path of the amount.
        columns: How many cells stand before the number.
        kind: `sum` or `total`.
    """
    return (
        f'{{% if {money} %}}<tr class="{kind}"><td colspan="{columns}">{literal(label)}</td>'
        f'<td class="number">{{{{ {money} | money }}}}</td></tr>{{% endif %}}'
    )


def sum_text(label: str, money: str) -> str:
    """A line of plain text with a sum, if there is one."""
    return f"{{% if {money} %}}{plain_literal(label)}: {{{{ {money} | money }}}}\n{{% endif %}}"


def grid_html(items: str, mail: Mail, *, columns: int, limit: int, words: str, price: bool) -> str:
    """Products side by side.

    Args:
        items: The list's path.
        mail: For its colours.
        columns: How many beside each other.
        limit: How many at most.
        words: On each product's button, escaped; "" for none.
        price: Whether to show it.
    """
    width = {1: 536, 2: 260, 3: 168}[columns]
    share = 100 // columns
    first = f"{{% assign place = forloop.index0 | modulo: {columns} %}}"
    image = (
        '{% if line.image_url %}{% if line.url %}<a href="{{ line.url }}">{% endif %}'
        f'<img class="round" src="{{{{ line.image_url }}}}" alt="{_alt()}" width="{width}" '
        f'style="width: 100%; max-width: {width}px; height: auto; margin: 0 0 12px">'
        "{% if line.url %}</a>{% endif %}{% endif %}"
    )
    cost = (
        '{% if line.unit_price %}<br><span class="muted">{{ line.unit_price | money }}</span>'
        "{% endif %}"
    )
    button = (
        '{% if line.url %}<br><br><a class="button small" href="{{ line.url }}">'
        f"{words}</a>{{% endif %}}"
    )
    return (
        f'<table class="grid" role="presentation"><tbody>'
        f"{{% for line in {items} limit: {limit} %}}{first}"
        f'{{% if place == 0 %}}<tr>{{% endif %}}<td width="{share}%">'
        f"{image}{_linked_name()}{cost if price else ''}{button if words else ''}</td>"
        f"{{% assign ends = place | plus: 1 %}}"
        f"{{% if ends == {columns} or forloop.last %}}</tr>{{% endif %}}"
        f"{{% endfor %}}</tbody></table>"
    )


def _alt() -> str:
    return "{{ line.name | default: line.sku }}"


def grid_text(items: str, *, limit: int, price: bool) -> str:
    """The same products in plain text."""
    cost = "{% if line.unit_price %} ({{ line.unit_price | money }}){% endif %}" if price else ""
    return (
        f"{{% for line in {items} limit: {limit} %}}- {_NAME}{cost}"
        "{% if line.url %}: {{ line.url }}{% endif %}\n{% endfor %}"
    )


def or_else(items: str, shown: str, fallback: str) -> str:
    """Something about a list, or a fallback where there is no list or nothing in it."""
    other = f"{{% else %}}{fallback}" if fallback else ""
    return f"{{% if {items}.size > 0 %}}{shown}{other}{{% endif %}}"


def body_text(html: str, mail: Mail, *, padding: str = "8px 24px") -> str:
    """HTML of our own as an element of a column."""
    mark = mail.html(html, trusted=True)
    return f'<mj-text css-class="wt-body" padding="{padding}">{mark}</mj-text>'
