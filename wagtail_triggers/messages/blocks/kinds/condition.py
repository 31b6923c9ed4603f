"""Blocks that only some people see."""

from __future__ import annotations

import re
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import (
    BlockGroup,
    CharBlock,
    ChoiceBlock,
    StructBlock,
    StructBlockValidationError,
)

from ....exceptions import TemplateProblem
from ..assemble import compile_stream, joined
from ..base import LAYOUT, Mail, MailBlock, Piece
from ..registry import register_block

_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
_NUMBER: Final = re.compile(r"-?\d{1,12}(?:\.\d{1,4})?")
#: Liquid of each comparison; `{0}` is the variable, `{1}` the value.
_OPERATORS: Final = {
    "is_set": "{0}",
    "is_not_set": "{0} == nil or {0} == false or {0} == blank",
    "equals": "{0} == {1}",
    "differs": "{0} != {1}",
    "above": "{0} > {1}",
    "below": "{0} < {1}",
    "contains": "{0} contains {1}",
}
#: These look at the variable alone.
_ALONE: Final = frozenset({"is_set", "is_not_set"})
CHOICES = [
    ("is_set", _("is known")),
    ("is_not_set", _("is not known")),
    ("equals", _("is")),
    ("differs", _("is not")),
    ("above", _("is more than")),
    ("below", _("is less than")),
    ("contains", _("contains")),
]


@register_block
class ConditionBlock(MailBlock, StructBlock):
    """Shows one thing or another, by what is known of the person and the event."""

    identifier = "condition"
    place = 20
    in_columns = False
    in_conditions = False

    variable = CharBlock(
        label=_("Variable"), max_length=120, help_text=_("For example contact.orders_count.")
    )
    operator = ChoiceBlock(label=_("Comparison"), choices=CHOICES, default="is_set")
    value = CharBlock(label=_("Value"), required=False, max_length=120)

    class Meta:
        icon = "triggers-branch"
        label = _("Condition")
        label_format = "{variable} {operator} {value}"
        group = LAYOUT
        description = _("Some blocks for those to whom something applies, others for the rest.")
        preview_value = {
            "variable": "contact.orders_count",
            "operator": "above",
            "value": "0",
            "then": [("text", "<p>Good to see you again.</p>")],
            "otherwise": [("text", "<p>Welcome to your first order.</p>")],
        }
        form_layout = BlockGroup(children=["variable", "operator", "value", "then", "otherwise"])

    def __init__(self, local_blocks: Any = None, **options: Any) -> None:
        from ..stream import stream_of  # reads the registry that this module is registered in

        def wanted(kind: type[MailBlock]) -> bool:
            return kind.in_conditions

        branches = [
            ("then", stream_of(wanted, label=_("If so"), required=False)),
            ("otherwise", stream_of(wanted, label=_("If not"), required=False)),
        ]
        super().__init__([*branches, *(local_blocks or [])], **options)

    def clean(self, value: Any) -> Any:
        """Refuse a comparison that cannot be made, unless a draft is saved.

        Raises:
            StructBlockValidationError: At the field at fault.
        """
        cleaned = super().clean(value)
        if not self.is_deferred_validation:
            if not _PATH.fullmatch((cleaned.get("variable") or "").strip()):
                message = _t("Write the name of one variable, such as contact.orders_count.")
                raise StructBlockValidationError({"variable": ValidationError(message)})
            if cleaned.get("operator") not in _ALONE and not (cleaned.get("value") or "").strip():
                message = _t("Write what to compare with.")
                raise StructBlockValidationError({"value": ValidationError(message)})
        return cleaned

    def compile(self, value: Any, mail: Mail) -> Piece:
        """Both sides, in Liquid's `if` and `else`."""
        test = condition(value)
        then = joined(compile_stream(value.get("then") or (), mail))
        otherwise = joined(compile_stream(value.get("otherwise") or (), mail))
        if not then.source and not otherwise.source:
            return Piece()
        return Piece(
            sections=f"{{% if {test} %}}{then.source}{{% else %}}{otherwise.source}{{% endif %}}",
            text=f"{{% if {test} %}}{then.text}{{% else %}}{otherwise.text}{{% endif %}}",
        )


def condition(value: Any) -> str:
    """The Liquid of a comparison.

    Raises:
        TemplateProblem: There is no such variable's name, or it is compared with nothing.
    """
    variable = (value.get("variable") or "").strip()
    operator = value.get("operator") or "is_set"
    other = (value.get("value") or "").strip()
    if not _PATH.fullmatch(variable):
        raise TemplateProblem(_t("Write the name of one variable, such as contact.orders_count."))
    if operator not in _OPERATORS:
        raise TemplateProblem(_t("Choose a comparison."))
    if operator in _ALONE:
        return _OPERATORS[operator].format(variable)
    if not other:
        raise TemplateProblem(_t("Write what to compare with."))
    return _OPERATORS[operator].format(variable, _written(other))


def _written(value: str) -> str:
    """A value as Liquid writes it: a number, true or false, or a text in quotes."""
    if _NUMBER.fullmatch(value) or value in {"true", "false"}:
        return value
    # Liquid has no escapes in strings: a text with both kinds of quotes loses the one.
    quote = "'" if '"' in value else '"'
    kept = value.replace(quote, "").replace("%}", "").replace("}}", "")
    return f"{quote}{kept}{quote}"
