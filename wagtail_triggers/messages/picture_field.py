"""A picture of Wagtail's library in a model, whichever image model the project has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models
from wagtail.images import get_image_model

if TYPE_CHECKING:
    Text = models.CharField[str, str]
else:
    Text = models.CharField  # it takes no types while the program runs


class PictureField(Text):
    """Holds the key of an image as text; "" for none.

    A foreign key would write the project's image model into our migration, and every project that
    has its own would be asked for another.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max_length": 64, "blank": True, "default": "", **options})

    def formfield(self, **options: Any) -> Any:
        """A chooser of images."""
        from wagtail.images.widgets import AdminImageChooser  # the admin, where there is a form

        for name in ("max_length", "min_length", "choices_form_class", "form_class"):
            options.pop(name, None)
        return forms.ModelChoiceField(
            queryset=get_image_model()._default_manager.all(),
            **{
                "widget": AdminImageChooser,
                "required": not self.blank,
                "label": self.verbose_name,
                "help_text": self.help_text,
                **options,
            },
        )

    def value_from_object(self, obj: models.Model) -> Any:
        """What a form begins with: None for no image, as choosers want it."""
        return super().value_from_object(obj) or None

    def value_to_string(self, obj: models.Model) -> str:
        """What a fixture holds."""
        return str(super().value_from_object(obj))

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """Keep the key of what was chosen."""
        setattr(instance, self.name, "" if data is None else str(getattr(data, "pk", data)))

    def extract_references(self, value: Any) -> Iterator[tuple[Any, str, str, str]]:
        """Tell Wagtail's reference index which image is used."""
        if value:
            yield get_image_model(), str(value), "", ""


def picture(key: str) -> Any | None:
    """The image with this key, or None where it is gone."""
    model = get_image_model()
    try:
        return model._default_manager.filter(pk=key).first() if key else None
    except ValueError:
        return None
