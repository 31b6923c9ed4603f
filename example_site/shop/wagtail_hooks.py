"""Orders in Wagtail's admin: staff look at them and move them on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from salesman.core.utils import get_salesman_model
from wagtail import hooks
from wagtail.admin.viewsets.model import ModelViewSet

Order = get_salesman_model("Order")


class OrderForm(forms.ModelForm):  # type: ignore[type-arg]  # Django has no runtime generics
    """The status alone can be changed, and only to one that may follow."""

    class Meta:
        model = Order
        fields = ["status"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        statuses = Order.Status
        following = statuses.get_transitions().get(self.instance.status, statuses.values)
        allowed = {self.instance.status, *map(str, following)}
        choices = [choice for choice in statuses.choices if choice[0] in allowed]
        self.fields["status"] = forms.ChoiceField(label=_("Status"), choices=choices)

    def clean_status(self) -> str:
        status = self.cleaned_data["status"]
        try:
            return str(
                Order.Status.validate_transition(status, Order.objects.get(pk=self.instance.pk))
            )
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
    inspect_view_enabled = True
    inspect_view_fields = ["ref", "status", "email", "shipping_address", "total", "date_created"]
    list_display = ["ref", "email", "status_display", "total", "date_created"]
    list_filter = ["status"]
    search_fields = ["ref", "email"]
    form_fields = ["status"]
    copy_view_enabled = False
    url_prefix = "orders"

    def get_form_class(self, for_update: bool = False) -> type[forms.ModelForm]:  # type: ignore[type-arg]
        return OrderForm


@hooks.register("register_admin_viewset")
def register_orders() -> OrderViewSet:
    return OrderViewSet()
