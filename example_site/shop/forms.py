"""The forms of the shop."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from .vouchers import is_good

MOST = 20


class QuantityForm(forms.Form):
    """How many of an article; none takes it out of the cart."""

    quantity = forms.IntegerField(min_value=0, max_value=MOST, initial=1)


class VoucherForm(forms.Form):
    """A voucher's code."""

    code = forms.CharField(label=_("Voucher code"), max_length=40, strip=True)

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).upper()
        if not is_good(code):
            raise forms.ValidationError(
                _("We do not know this code. Is it spelled as in our letter?")
            )
        return code


class AddressForm(forms.Form):
    """Who gets the parcel, and where we write to."""

    email = forms.EmailField(
        label=_("E-mail"),
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=_(
            "For the confirmation. Should you leave a full cart here, we remind you of it; every "
            "reminder has a link that stops them."
        ),
    )
    first_name = forms.CharField(
        label=_("First name"), max_length=80, widget=forms.TextInput({"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label=_("Last name"), max_length=80, widget=forms.TextInput({"autocomplete": "family-name"})
    )
    street = forms.CharField(
        label=_("Street and number"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "street-address"}),
    )
    postcode = forms.CharField(
        label=_("Postcode"), max_length=12, widget=forms.TextInput({"autocomplete": "postal-code"})
    )
    town = forms.CharField(
        label=_("Town"), max_length=80, widget=forms.TextInput({"autocomplete": "address-level2"})
    )
    country = forms.CharField(
        label=_("Country"),
        max_length=60,
        initial=_("Ireland"),
        widget=forms.TextInput({"autocomplete": "country-name"}),
    )
    newsletter = forms.BooleanField(
        label=_("Yes, send me the letter from the harbour, about once a month"),
        required=False,
    )

    def postal(self) -> str:
        """Return the address as it stands on the parcel."""
        data = self.cleaned_data
        return "\n".join(
            [
                f"{data['first_name']} {data['last_name']}",
                data["street"],
                f"{data['postcode']} {data['town']}",
                data["country"],
            ]
        )


class RegisterForm(forms.ModelForm):  # type: ignore[type-arg]  # Django has no runtime generics
    """A new account. The e-mail address is the user name."""

    password = forms.CharField(
        label=_("Password"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least 8 characters."),
    )
    newsletter = forms.BooleanField(
        label=_("Yes, send me the letter from the harbour, about once a month"),
        required=False,
    )

    class Meta:
        model = User
        fields = ["first_name", "email", "password"]
        widgets = {
            "first_name": forms.TextInput({"autocomplete": "given-name"}),
            "email": forms.EmailInput({"autocomplete": "email"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].label = _("E-mail")
        self.fields["first_name"].required = True

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if get_user_model().objects.filter(username=email).exists():
            raise forms.ValidationError(
                _("There is an account with this address. Sign in instead.")
            )
        return email

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password)
        return password

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.username = user.email
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user


class SignInForm(AuthenticationForm):
    """Sign in with the e-mail address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget = forms.TextInput(
            {"autocomplete": "username", "inputmode": "email", "autocapitalize": "none"}
        )

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


class LetterForm(forms.Form):
    """The letter box at the foot of every page."""

    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput({"autocomplete": "email"}))
