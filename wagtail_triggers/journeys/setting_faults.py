"""What pydantic finds wrong with a step's settings, said to an editor: never in its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from .conditions import ConditionError
from .graph import Node
from .problems import Problem, did_you_mean
from .steps.registry import steps as step_kinds

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: Faults that need no more than a sentence, by pydantic's name for them.
_SENTENCES: Final[Mapping[str, StrOrPromise]] = {
    "missing": gettext_lazy("This is missing. Fill it in."),
    "bool_type": gettext_lazy("Answer this with yes or no."),
    "bool_parsing": gettext_lazy("Answer this with yes or no."),
    "string_type": gettext_lazy("This must be a text."),
    "int_type": gettext_lazy("This must be a whole number."),
    "int_parsing": gettext_lazy("This must be a whole number."),
    "int_parsing_size": gettext_lazy("This number is too large. Choose a smaller one."),
    "int_from_float": gettext_lazy("This must be a whole number."),
    "float_type": gettext_lazy("This must be a number."),
    "float_parsing": gettext_lazy("This must be a number."),
    "finite_number": gettext_lazy("This must be a number."),
    "decimal_type": gettext_lazy("This must be a number."),
    "decimal_parsing": gettext_lazy("This must be a number, such as 12.50."),
    "decimal_max_places": gettext_lazy("This has too many decimal places. Round it."),
    "decimal_max_digits": gettext_lazy("This number is too large. Choose a smaller one."),
    "decimal_whole_digits": gettext_lazy("This number is too large. Choose a smaller one."),
    "string_pattern_mismatch": gettext_lazy("This is not written as it must be. See the example."),
    "time_parsing": gettext_lazy("This must be a time of day, such as 09:30."),
    "date_parsing": gettext_lazy("This must be a date, such as 2026-12-31."),
    "date_from_datetime_parsing": gettext_lazy("This must be a date, such as 2026-12-31."),
    "datetime_parsing": gettext_lazy("This must be a date with a time."),
    "url_parsing": gettext_lazy("This must be a whole address, such as https://shop.example/."),
    "url_scheme": gettext_lazy("This must be a whole address, such as https://shop.example/."),
    "uuid_parsing": gettext_lazy("This is no identifier. Choose it from the list."),
    "dict_type": gettext_lazy("This must be a group of settings."),
    "mapping_type": gettext_lazy("This must be a group of settings."),
    "model_type": gettext_lazy("This must be a group of settings."),
    "model_attributes_type": gettext_lazy("This must be a group of settings."),
    "dataclass_type": gettext_lazy("This must be a group of settings."),
    "list_type": gettext_lazy("This must be a list."),
    "tuple_type": gettext_lazy("This must be a list."),
    "set_type": gettext_lazy("This must be a list."),
    "frozen_set_type": gettext_lazy("This must be a list."),
    "iterable_type": gettext_lazy("This must be a list."),
    "none_required": gettext_lazy("Nothing may stand here. Take it out."),
}

#: Every name that pydantic itself gives to a fault.
_PYDANTIC: Final = frozenset(get_args(ErrorType))


def _at_least(ctx: Mapping[str, Any]) -> str:
    n = ctx["min_length"]
    text = ngettext("At least %(n)s is needed. Add it.", "At least %(n)s are needed. Add them.", n)
    return text % {"n": n}


def _at_most(ctx: Mapping[str, Any]) -> str:
    n = ctx["max_length"]
    text = ngettext(
        "At most %(n)s may stand here. Take some out.",
        "At most %(n)s may stand here. Take some out.",
        n,
    )
    return text % {"n": n}


def _text_too_short(ctx: Mapping[str, Any]) -> str:
    n = ctx["min_length"]
    if n == 1:
        return _("This is missing. Fill it in.")
    return _("This must have at least %(n)s characters.") % {"n": n}


def _choices(ctx: Mapping[str, Any]) -> str:
    return _("This must be one of: %(choices)s.") % {"choices": ctx["expected"]}


#: Faults whose sentence names a bound.
_WITH_BOUNDS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than": lambda ctx: _("This must be more than %(n)s.") % {"n": ctx["gt"]},
    "greater_than_equal": lambda ctx: _("This must be %(n)s or more.") % {"n": ctx["ge"]},
    "less_than": lambda ctx: _("This must be less than %(n)s.") % {"n": ctx["lt"]},
    "less_than_equal": lambda ctx: _("This must be %(n)s or less.") % {"n": ctx["le"]},
    "multiple_of": lambda ctx: _("This must be a multiple of %(n)s.") % {"n": ctx["multiple_of"]},
    "too_short": _at_least,
    "too_long": _at_most,
    "string_too_short": _text_too_short,
    "string_too_long": lambda ctx: (
        _("This may have at most %(n)s characters. Shorten it.") % {"n": ctx["max_length"]}
    ),
    "literal_error": _choices,
    "enum": _choices,
}


def setting_faults(node: Node, error: ValidationError) -> Iterator[Problem]:
    """Yield what is wrong with the settings of `node`, each at its place."""
    for one in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in one["loc"])
        ctx = one.get("ctx", {})
        cause = ctx.get("error")
        if isinstance(cause, ConditionError):
            for found in cause.problems:
                within = ".".join(part for part in (place, found.field) if part)
                yield replace(found, node=node.id, field=within)
        elif cause is not None:  # raised by the settings themselves, for people
            yield Problem(node.id, place, str(cause))
        else:
            yield Problem(node.id, place, _words(one["type"], ctx, node, place, one["msg"]))


def _words(type_: str, ctx: Mapping[str, Any], node: Node, place: str, message: str) -> str:
    if type_ == "extra_forbidden":
        known = step_kinds.get(node.kind).Settings.model_fields if "." not in place else ()
        return _("There is no such setting.") + did_you_mean(place, known)
    if type_ in _SENTENCES:
        return str(_SENTENCES[type_])
    if type_ in _WITH_BOUNDS:
        return _WITH_BOUNDS[type_](ctx)
    if type_ not in _PYDANTIC:
        return message  # a fault of a host's own making (PydanticCustomError): in its words
    return _("This value does not fit here. Choose or write another one.")
