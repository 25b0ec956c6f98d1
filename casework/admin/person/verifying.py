"""Verify on a person's page who is calling; until then the birth date is hidden."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.widgets import UnfoldAdminTextInputWidget

from casework import identity
from casework.admin.words import identity_words
from ddc.common.admin.editing import DomainAdmin
from debtors.models import Debtor


class VerifyForm(forms.Form):
    """What the caller answered. The page shows no value of the record."""

    note = "Ask at least one question, and enter what the caller says. Only whether it is right is kept."
    postcode = forms.CharField(max_length=20, required=False, widget=UnfoldAdminTextInputWidget())
    birth_date = forms.DateField(
        required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date", "autocomplete": "off"})
    )
    reference = forms.CharField(
        label="Last digits of a reference",
        max_length=255,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=f"At least {identity.LEAST_DIGITS}.",
    )


def page(admin: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the form, and check the answers."""

    def check(debtor: Debtor, fields: dict[str, Any]) -> None:
        agent: Any = request.user
        results = vars(identity.check(debtor, **fields, by=agent, now=now()))
        level = messages.SUCCESS if identity.passed(results) else messages.WARNING
        admin.message_user(request, f"{identity_words(results)}.", level)

    form = VerifyForm(request.POST if request.method == "POST" else None)
    return admin.do_to_one(request, object_id, form, check, title="Verify identity", button="Verify", done="")


def may_see_birth_date(request: HttpRequest, debtor: Debtor) -> bool:
    """Return whether the form has the birth date. The other panels do not show the form, and ask nothing."""
    agent: Any = request.user
    is_form = request.method == "POST" or request.GET.get("panel") == "edit"
    return is_form and identity.is_checked(debtor, by=agent, now=now())
