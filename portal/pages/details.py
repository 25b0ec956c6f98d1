"""The debtor's own details: language, channels and times, postal address, all messages off; another phone or e-mail address."""

import uuid
from datetime import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from ddc.common.errors import DomainError
from ddc.common.reference import countries
from debtors.channels import AddressKind, Channel
from portal import address_changes, details, tokens
from portal.models import AddressChange
from portal.pages import pages
from portal.pages.forms import CodeForm, PortalForm, email_field, phone_field, printable
from portal.pages.pages import DebtorRequest

_CHANNELS = [
    (Channel.EMAIL.value, gettext_lazy("E-mail")),
    (Channel.SMS.value, gettext_lazy("Text message")),
    (Channel.CALL_SCRIPT.value, gettext_lazy("Phone call")),
    (Channel.VOICE.value, gettext_lazy("Recorded call")),
]
_ANY, _DAY, _EVENING = "any", "day", "evening"
#: Times to choose from, which are lawful everywhere that has hours.
_TIMES = {_ANY: (None, None), _DAY: (time(9), time(17)), _EVENING: (time(17), time(20))}
_ADDRESS = ("address_line1", "address_line2", "city", "postal_code", "region_state")


def _line(label: Any, token: str, *, most: int = 255) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, empty_value=None, max_length=most, validators=[printable],
        widget=forms.TextInput(attrs={"autocomplete": token}),
    )  # fmt: skip


class WaysForm(PortalForm):
    """Language, channels, and times."""

    language_preference = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("How may we reach you?"),
        required=False,
        choices=_CHANNELS,
        widget=forms.CheckboxSelectMultiple,
    )
    times = forms.ChoiceField(
        label=gettext_lazy("When is it best?"),
        widget=forms.RadioSelect,
        choices=[
            (_ANY, gettext_lazy("At any time")),
            (_DAY, gettext_lazy("By day, from 9 to 17")),
            (_EVENING, gettext_lazy("In the evening, from 17 to 20")),
        ],
    )


class AddressForm(PortalForm):
    """The postal address. All of it may be empty."""

    address_line1 = _line(gettext_lazy("Street and number"), "address-line1")
    address_line2 = _line(gettext_lazy("Address, second line"), "address-line2")
    city = _line(gettext_lazy("Town or city"), "address-level2")
    postal_code = _line(gettext_lazy("Postcode"), "postal-code", most=20)
    region_state = _line(gettext_lazy("Region or state"), "address-level1")
    country_code = forms.ChoiceField(
        label=gettext_lazy("Country"),
        required=False,
        choices=lambda: [("", "-"), *sorted(countries.names().items(), key=lambda pair: pair[1])],
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )

    def clean_country_code(self) -> str | None:
        return self.cleaned_data["country_code"] or None


#: The forms of the page, by the name of the button that sends each.
_FORMS: dict[str, type[PortalForm]] = {"ways": WaysForm, "address": AddressForm}


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: DebtorRequest) -> HttpResponse:
    """Show the details, each group with its own form."""
    shown = details.shown(request.debtor)
    forms_: dict[str, PortalForm] = {
        name: kind(initial=_initial(shown), auto_id=f"{name}_%s") for name, kind in _FORMS.items()
    }
    context: dict[str, Any] = {"shown": shown, "forms": forms_}
    if request.method != "POST":
        return pages.show(request, "details", **context)
    name = request.POST.get("form", "")
    if name not in _FORMS:
        raise Http404
    form = forms_[name] = _FORMS[name](request.POST, auto_id=f"{name}_%s")

    def act(fields: dict[str, Any]) -> HttpResponse:
        details.change(request.debtor, _changes(name, fields), now=timezone.now())
        messages.success(request, _("Saved."))
        return redirect("portal-details")

    return pages.submit(request, "details", form, act, **context)


def _initial(shown: dict[str, Any]) -> dict[str, Any]:
    chosen = [name for name, hours in _TIMES.items() if hours == (shown["not_before"], shown["not_after"])]
    reached = [channel for channel, _label in _CHANNELS if channel not in shown["refused_channels"]]
    language = (shown["language_preference"] or settings.LANGUAGE_CODE).split("-")[0]
    return {**shown, "channels": reached, "times": next(iter(chosen), None), "language_preference": language}


def _changes(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    if name == "address":
        return {field: fields[field] for field in (*_ADDRESS, "country_code")}
    opens, closes = _TIMES[fields["times"]]
    refused = [channel.value for channel in Channel if channel not in fields["channels"]]
    language = {"language_preference": fields["language_preference"]}
    return {**language, "refused_channels": refused, "not_before": opens, "not_after": closes}


@pages.signed_in
@require_POST
def stop(request: DebtorRequest) -> HttpResponse:
    """Stop all messages and calls at once, or start them again."""
    stops = request.POST.get("stop") != "no"
    details.change(request.debtor, {"messages_stopped": stops}, now=timezone.now())
    stopped = _("We send you no more messages, and do not call. Codes to sign in still come.")
    messages.success(request, stopped if stops else _("We may write to you and call you again."))
    return redirect("portal-details")


# --- Another phone or e-mail address


class NewPhoneForm(PortalForm):
    address = phone_field(gettext_lazy("Your new mobile number"))


class NewEmailForm(PortalForm):
    address = email_field(gettext_lazy("Your new e-mail address"))


_NEW: dict[str, type[PortalForm]] = {AddressKind.PHONE.value: NewPhoneForm, AddressKind.EMAIL.value: NewEmailForm}


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def new_address(request: DebtorRequest, kind: str) -> HttpResponse:
    """Ask for another phone or e-mail address, and send a code there."""
    if kind not in _NEW:
        raise Http404
    form = _NEW[kind](request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.show(request, "new_address", form=form, kind=kind)

    def act(fields: dict[str, Any]) -> HttpResponse:
        wanted = _parsed(fields["address"], kind, request)
        change = address_changes.request(request.debtor, wanted, now=timezone.now())
        return redirect("portal-new-address-code", change.pk)

    return pages.submit(request, "new_address", form, act, kind=kind)


def _parsed(text: str, kind: str, request: DebtorRequest) -> address_changes.Wanted:
    try:
        return address_changes.parse(text, AddressKind(kind), request.debtor)
    except DomainError as error:
        error.field = "address"
        raise


@pages.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_address(request: DebtorRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the code that went to the new address; then it is the debtor's, and this visit goes on."""
    change = get_object_or_404(AddressChange.objects.select_related("debtor"), pk=pk, debtor=request.debtor)
    if change.done_at:
        return redirect("portal-details")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return pages.show(request, "new_address_code", form=form, change=change)

    def act(fields: dict[str, Any]) -> HttpResponse:
        now = timezone.now()
        try:
            debtor = address_changes.confirm(change, fields["otp_code"], now=now)
        except DomainError as error:
            error.field = "otp_code"
            raise
        messages.success(request, _("Saved. On other devices you are signed out."))
        response = redirect("portal-details")
        pages.keep_visit(response, debtor, tokens.issue_for_pages(debtor, now=now))
        return response

    return pages.submit(request, "new_address_code", form, act, change=change)
