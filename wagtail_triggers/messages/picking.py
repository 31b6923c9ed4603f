"""The variables that an editor can pick: each with a label, a sample, and ways of writing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ..exceptions import TemplateProblem
from .liquid import freeze_context, render_source
from .readers import Reader, read_by
from .samples import variables_for
from .variables import Variable

if TYPE_CHECKING:
    from .models import Template

#: What common fields are called; those of events bring labels of their own.
_LABELS: Final[Mapping[str, str]] = {
    "first_name": gettext_noop("First name"),
    "last_name": gettext_noop("Last name"),
    "name": gettext_noop("Name"),
    "email": gettext_noop("Email"),
    "phone": gettext_noop("Phone"),
    "language": gettext_noop("Language"),
    "time_zone": gettext_noop("Time zone"),
    "birthday": gettext_noop("Birthday"),
    "last_seen_at": gettext_noop("Last seen"),
    "last_order_at": gettext_noop("Last order"),
    "orders_count": gettext_noop("Number of orders"),
    "spent": gettext_noop("Spent so far"),
    "currency": gettext_noop("Currency"),
    "lines": gettext_noop("Things in it"),
    "total": gettext_noop("Total"),
    "url": gettext_noop("Address"),
    "number": gettext_noop("Number"),
    "cart_id": gettext_noop("Cart's id"),
    "order_id": gettext_noop("Order's id"),
    "checkout_id": gettext_noop("Checkout's id"),
    "tracking_url": gettext_noop("Address to follow the parcel"),
    "tracking_number": gettext_noop("Parcel's number"),
    "carrier": gettext_noop("Carrier"),
    "code": gettext_noop("Code"),
    "discount": gettext_noop("Discount"),
    "percent": gettext_noop("Per cent"),
    "amount": gettext_noop("Amount"),
    "minimum": gettext_noop("Smallest order"),
    "expires_at": gettext_noop("Ends"),
    "unsubscribe": gettext_noop("Unsubscribe"),
    "preferences": gettext_noop("Preferences"),
}
#: Longest sample that is shown.
_SAMPLE: Final = 60
#: What each kind can be written as, the usual way first. `%s` is the path. Quotes are single: it
#: may be inserted into an attribute.
_WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("{{ %s }}", "{{ %s | default: '…' }}"),
    "any": ("{{ %s }}",),
    "number": ("{{ %s }}", "{{ %s | number }}", "{{ %s | number: 2 }}"),
    "boolean": ("{%% if %s %%}…{%% endif %%}",),
    "date": (
        "{{ %s | date: 'long' }}",
        "{{ %s | date: 'medium' }}",
        "{{ %s | date: 'short' }}",
        "{{ %s | date: 'd MMMM' }}",
        "{{ %s | date: 'EEEE' }}",
    ),
    "datetime": (
        "{{ %s | date: 'long' }}",
        "{{ %s | datetime }}",
        "{{ %s | date: 'EEEE d MMMM' }}",
        "{{ %s | time }}",
    ),
    "money": ("{{ %s | money }}", "{{ %s.amount | number: 2 }}", "{{ %s.currency }}"),
}
#: A loop over a list of things, and over a list of texts.
_LOOP: Final = (
    "{%% for %s in %s %%}{{ %s }}{%% unless forloop.last %%}, {%% endunless %%}{%% endfor %%}"
)
_COUNT: Final = "{{ %s | size }}"


@dataclass(frozen=True, slots=True)
class Way:
    """One way of writing a variable.

    Attributes:
        code: What is inserted.
        sample: What it becomes with made-up data; "" where it becomes nothing.
    """

    code: str
    sample: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable that can be picked.

    Attributes:
        path: As templates name it.
        label: What it is, for people.
        kind: What it is, for the eye: "text", "money", "date" …
        group: The root of its path.
        ways: How it can be written, the usual way first.
    """

    path: str
    label: str
    kind: str
    group: str
    ways: tuple[Way, ...]


def choices_for(template: Template) -> list[dict[str, Any]]:
    """Return everything that a template may name, as plain JSON.

    Args:
        template: What it is written for, and in which language.
    """
    reading = read_by(template, Reader())
    context = freeze_context(reading.context)

    def shown(code: str) -> str:
        try:
            text = render_source(
                code, context, html=False, language=reading.language, time_zone=reading.time_zone
            )
        except TemplateProblem:
            return ""
        return text.strip()[:_SAMPLE]

    found = []
    for root, variable in variables_for(template.event).roots.items():
        if root not in context:  # known to the language, but never there with this event
            continue
        for path, one, label in _walk(root, variable, ""):
            ways = tuple(Way(code, shown(code)) for code in _codes(path, one))
            found.append(asdict(Choice(path, label, one.kind, root, ways)))
    return found


def group_label(root: str) -> str:
    """What a root is called."""
    return {
        "contact": _("Person"),
        "event": _("What happened"),
        "cart": _("Cart"),
        "order": _("Order"),
        "coupon": _("Coupon"),
        "site": _("Shop"),
        "links": _("Links"),
        "items": _("Messages of the digest"),
    }.get(root, capfirst(root.replace("_", " ")))


def _walk(path: str, variable: Variable, label: str) -> Iterator[tuple[str, Variable, str]]:
    if variable.kind == "object":
        for name, child in variable.fields.items():
            known = _LABELS.get(name)
            words = _(known) if known else str(child.label) or capfirst(name.replace("_", " "))
            yield from _walk(f"{path}.{name}", child, f"{label}: {words}" if label else words)
        return
    yield path, variable, label or group_label(path)


def _codes(path: str, variable: Variable) -> Iterator[str]:
    if variable.kind == "list":
        name = _singular(path.rpartition(".")[2])
        item = variable.item
        field = ""
        if item is not None and item.kind == "object":
            field = next((one for one in ("name", "subject") if one in item.fields), "")
            field = field or next(iter(item.fields), "")
        yield _LOOP % (name, path, f"{name}.{field}" if field else name)
        if "unit_price" in (item.fields if item is not None else {}):
            yield _LOOP % (name, path, f"{name}.unit_price | money")
            yield f"{{{{ {path}.first.name }}}}"
        yield _COUNT % path
        return
    for way in _WAYS.get(variable.kind, _WAYS["text"]):
        yield way % path


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 2 else "item"
