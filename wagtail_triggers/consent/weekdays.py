"""Some days of the week, in one column and as seven boxes to tick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db import models
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

#: Monday is 1, as in ISO 8601.
DAYS: Final = tuple((str(number + 1), name) for number, name in WEEKDAYS.items())


class WeekdaysFormField(forms.MultipleChoiceField):
    """Boxes to tick; gives back the digits of the days."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(choices=DAYS, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show the column's digits as ticked boxes."""
        return list(value) if isinstance(value, str) else value

    def clean(self, value: Any) -> Any:
        """Join what was ticked, in the order of the week."""
        return "".join(sorted(super().clean(value)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the boxes with the column."""
        return bool(super().has_changed(list(initial or ""), data))


class WeekdaysField(_CharField):
    """Digits from 1 (Monday) to 7; empty means every day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 7
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Leave out what is always so."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        """Give the seven boxes."""
        return WeekdaysFormField(
            label=capfirst(self.verbose_name), help_text=self.help_text, required=not self.blank
        )
