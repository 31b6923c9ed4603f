"""Raw MJML in a template is for those with a permission of their own."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from wagtail.admin.forms.models import WagtailAdminModelForm

from ..messages.blocks.kinds.mjml import PERMISSION, MjmlBlock
from ..messages.blocks.stream import body_block

_KIND = MjmlBlock.identifier


def raw_sources(body: Any) -> Counter[str]:
    """The raw MJML of a body, each source with how often it stands there."""
    return Counter(str(child.value or "") for child in body or () if child.block_type == _KIND)


def may_use(user: Any) -> bool:
    """Say whether `user` may write raw MJML."""
    return user is not None and bool(user.has_perm(PERMISSION))


class RawMjmlForm(WagtailAdminModelForm):
    """Lets raw MJML in a body stand as it is, and be changed by those who may."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._raw_before = raw_sources(self.initial.get("body"))
        field = self.fields.get("body")
        if field is not None and not may_use(self.for_user):
            self._offer_none(field)

    def _offer_none(self, field: Any) -> None:
        """Take the kind from the list of blocks; those that are there stay."""
        block = body_block()
        present = sum(self._raw_before.values())
        block.set_meta_options({"block_counts": {_KIND: {"max_num": present}}})
        # The list alone: what is posted all the same is refused below, in words that help.
        field.widget = type(field.widget)(block)

    def clean_body(self) -> Any:
        """Refuse raw MJML that was not there before, in a draft too: another may publish it.

        Raises:
            ValidationError: It is not for this user.
        """
        body = self.cleaned_data["body"]
        if not may_use(self.for_user) and raw_sources(body) - self._raw_before:
            raise forms.ValidationError(
                _t(
                    "Raw MJML can be written only by those with the permission “Can write raw "
                    "MJML”. Use other blocks, or ask somebody who has it."
                )
            )
        return body
