"""Forms of sign-in, of the own account, and of staff accounts."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from agents import second_factor, sign_in_limits
from agents.models import Agent
from agents.roles import ROLES
from ddc.common.admin.forms import DomainForm
from ddc.common.callers import client_ip

_WRONG_PASSWORD = "The password is wrong."  # noqa: S105


def is_password(request: HttpRequest, password: str) -> bool:
    """Return whether this is the password of the signed-in agent. A wrong one counts as it does at the sign-in.

    :raises TooMany: after too many wrong ones
    """
    name = request.user.get_username()
    is_right = authenticate(request=request, username=name, password=password) is not None
    if is_right:
        sign_in_limits.signed_in(name, client_ip=client_ip(request), now=now())
    return is_right


def _code(label: str, **attrs: Any) -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", **attrs}
    return forms.CharField(label=label, max_length=50, widget=UnfoldAdminTextInputWidget(attrs=attributes))


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = _code("Code", autofocus=True)


class NewAppForm(forms.Form):
    """The first code of a new app."""

    new_code = _code("Code that the app shows", inputmode="numeric", autofocus=True)


class ConfirmForm(forms.Form):
    """The proof that it is really the agent who changes the second factor: the password and, with an app, a code."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=1024,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )
    code = _code("Code of your present app, or a recovery code")

    def __init__(self, data: Any, *, request: HttpRequest, with_code: bool) -> None:
        super().__init__(data)
        self._request = request
        if not with_code:
            del self.fields["code"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not is_password(self._request, password):
            raise ValidationError(_WRONG_PASSWORD)
        return password


class ReplaceAppForm(ConfirmForm):
    """The first code of a new app, with the proof."""

    new_code = _code("Code that the new app shows", inputmode="numeric", autofocus=True)
    field_order = ("new_code", "password", "code")

    def __init__(self, data: Any, *, key: str, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._key = key

    def clean_new_code(self) -> str:
        """Check the new code before the present one is used up."""
        code: str = self.cleaned_data["new_code"]
        if not second_factor.is_present_code(self._key, code):
            raise ValidationError(second_factor.WrongNewCode.message)
        return code


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A new password. Wrong old ones count towards the lock-out of sign-in."""

    request: HttpRequest

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not is_password(self.request, password):
            raise ValidationError(_WRONG_PASSWORD, code="password_incorrect")
        return password


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """The first or a new password, by a link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class EmailForm(forms.Form):
    """The address to which a link goes."""

    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email", "autofocus": True}),
    )


def role_field() -> forms.ChoiceField:
    """Return a field with the roles."""
    return forms.ChoiceField(choices=[(role, role) for role in ROLES], widget=UnfoldAdminSelectWidget())


class RoleForm(forms.Form):
    """Another role."""

    role = role_field()


class PasswordLinkForm(forms.Form):
    note = "The link goes to the account's e-mail address. It works once, for a day."


class ResetSecondFactorForm(forms.Form):
    note = (
        "For a lost phone without recovery codes. Make sure that the request is from your colleague. All sessions and tokens of "
        "the account end; the next sign-in sets up a new second factor if the role needs one."
    )


class EndAccessForm(forms.Form):
    note = "All browsers are signed out, and all tokens end, those of programs too. The account may sign in again."


class DeactivateForm(forms.Form):
    note = "Sign-in is refused from now on. All browsers are signed out and all tokens end at once and for good."


class ReactivateForm(forms.Form):
    note = "The account may sign in again with its earlier password. Earlier tokens do not work any more."


class NewAgentForm(DomainForm):
    """A new account. Its owner sets the password by a link."""

    role = role_field()

    class Meta:
        model = Agent
        fields = ("username", "first_name", "last_name", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].help_text = "A link to set a password goes to this address."
