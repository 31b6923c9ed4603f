"""Orders in Wagtail's admin: staff look at them and move them on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from salesman.core.utils import get_salesman_model
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permissions import register_permission_policy

Order = get_salesman_model("Order")


class OrderPolicy(ModelPermissionPolicy):
    """Orders are made in the shop and kept for the books: nobody adds or deletes them here."""

    refused = frozenset({"add", "delete"})

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action not in self.refused and bool(super().user_has_permission(user, action))

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        left = set(actions) - self.refused
        return bool(left) and bool(super().user_has_any_permission(user, left))


register_permission_policy(Order, OrderPolicy(Order))


class OrderForm(WagtailAdminModelForm):
    """The status alone can be changed, and only to one that may follow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statuses = Order.Status
        following = statuses.get_transitions().get(self.instance.status, statuses.values)
        allowed = {self.instance.status, *map(str, following)}
        choices = [choice for choice in statuses.choices if choice[0] in allowed]
        self.fields["status"] = forms.ChoiceField(label=_("Status"), choices=choices)

    def clean_status(self) -> str:
        status = self.cleaned_data["status"]
        # What is in the database counts: two people may have this page open.
        stored = Order.objects.get(pk=self.instance.pk)
        try:
            return str(Order.Status.validate_transition(status, stored))
        except ValidationError as error:
            raise forms.ValidationError(error.messages) from error


class OrderViewSet(ModelViewSet):
    """The orders of the shop."""

    model = Order
    icon = "form"
    menu_label = _("Orders")
    menu_order = 150
    add_to_admin_menu = True
    add_to_reference_index = False
    list_display = ["ref", "email", "status_display", "total", "date_created"]
    list_filter = ["status"]
    search_fields = ["ref", "email"]
    copy_view_enabled = False
    url_prefix = "orders"
    edit_handler = ObjectList(
        [
            FieldPanel("status"),
            MultiFieldPanel(
                [
                    FieldPanel(name, read_only=True)
                    for name in ("ref", "email", "shipping_address", "total", "date_created")
                ],
                heading=_("The order"),
            ),
        ],
        base_form_class=OrderForm,
    )


@hooks.register("register_admin_viewset")
def register_orders() -> OrderViewSet:
    return OrderViewSet()
