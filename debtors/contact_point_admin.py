"""Back-office pages for contact points: history, suppression, consent and reactivation."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDateWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ddc.common import days
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import NEWEST, Listing
from ddc.common.admin.pages import ReadOnlyAdmin, column
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from ddc.common.days import agency_today
from debtors import consents, contact_points, search
from debtors.channels import AddressKind, Channel
from debtors.models import Consent, ContactPoint, SuppressionReason

_SHOWN_LENGTH = 100


class SuppressionForm(DomainForm):
    """An address that must not be used any more."""

    value = forms.CharField(
        label="Address",
        max_length=254,
        widget=UnfoldAdminTextInputWidget(),
        help_text="An e-mail address or an international phone number. The suppression applies to every debtor who has it.",
    )
    channel = forms.ChoiceField(
        choices=[(Channel.EMAIL, "mail"), (Channel.SMS, "text messages"), (Channel.VOICE, "calls")],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = forms.ChoiceField(choices=SuppressionReason.choices, widget=UnfoldAdminRadioSelectWidget())
    source = forms.CharField(max_length=255, widget=UnfoldAdminTextInputWidget(), help_text="For example: a call.")

    class Meta:
        model = ContactPoint
        fields = ("value",)


class ReactivationForm(forms.Form):
    """The reason to use a suppressed address again."""

    source = forms.CharField(
        label="Reason",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For example: the debtor asked for it in a call.",
    )


class ConsentForm(forms.Form):
    """A consent to contact at an address: by which channels, with which words, and where it can be found."""

    channels = forms.MultipleChoiceField(choices=Channel.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget())
    basis = forms.ChoiceField(choices=Consent.Basis.choices, widget=UnfoldAdminRadioSelectWidget())
    given_at = forms.DateField(label="Day of the consent", widget=UnfoldAdminDateWidget())
    text = forms.CharField(
        label="Words", max_length=5000, widget=UnfoldAdminTextareaWidget(), help_text="What the debtor agreed to."
    )
    scope = forms.CharField(
        max_length=255,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=Consent._meta.get_field("scope").help_text,
    )
    source = forms.CharField(
        max_length=255,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Where it can be found: a contract, a form, a call.",
    )


class NumberCheckForm(forms.Form):
    """The answer of a database of reassigned numbers."""

    is_reassigned = forms.TypedChoiceField(
        label="Has the number been reassigned?",
        choices=[("no", "No, it is still the debtor's"), ("yes", "Yes, it belongs to another person")],
        coerce=lambda answer: answer == "yes",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    checked_at = forms.DateField(label="Day of the check", widget=UnfoldAdminDateWidget())
    source = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget(), help_text="For example: FCC Reassigned Numbers Database."
    )


class SuppressionFilter(ConditionFilter):
    title = "suppression"
    parameter_name = "suppressed"
    conditions = {
        "messages": ("No mail or text messages", Q(messages_suppressed=True)),
        "calls": ("No calls", Q(calls_suppressed=True)),
    }


@admin.register(ContactPoint)
class ContactPointAdmin(WorkflowAdmin):
    """Without its row, a suppressed address would be used again, so rows are never deleted."""

    form = SuppressionForm
    list_display = ("value", "kind", "debtor", "suppressions", "verified_at", "bounces", "created_at")
    list_filter = (SuppressionFilter, "kind", "created_at")
    list_select_related = ("debtor",)
    search_fields = ("value",)
    search_help_text = "A complete address, or the debtor's name, phone or postcode"
    actions = ()
    actions_detail = ("consent", "check_number", "reactivate")
    entered = ("value", "channel", "reason", "source")
    fieldsets = (
        (None, {"fields": (("value", "kind"), "debtor", ("suppressions", "created_at"))}),
        ("Ownership", {"fields": ("verified_at", ("shared_at", "is_another_persons"))}),
        (
            "Mail or text messages",
            {"fields": (("opted_out_at", "opted_out_source"), ("opted_in_at", "opted_in_source"))},
        ),
        (
            "Calls",
            {
                "fields": (
                    ("calls_opted_out_at", "calls_opted_out_source"),
                    ("calls_opted_in_at", "calls_opted_in_source"),
                )
            },
        ),
        (
            "Delivery problems",
            {
                "fields": (
                    ("bounces", "bounced_at", "bounced_source"),
                    ("complained_at", "complained_source"),
                    ("wrong_number_at", "wrong_number_source"),
                )
            },
        ),
    )

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text)) | search.strangers(text, "value")

    suppressions = column("Suppressions", lambda point: ", ".join(point.suppressions) or "-")

    has_consent_permission = offered(Q(debtor__isnull=False), "debtors.record_consent")
    has_check_permission = offered(Q(debtor__isnull=False, kind=AddressKind.PHONE), "debtors.record_consent")
    has_reactivate_permission = offered(Q(), "debtors.change_contactpoint")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ContactPoint:
        channel = Channel(fields["channel"])
        value = contact_points.parse(fields["value"], channel.address_kind, field="value")
        source = f"{fields['source']} ({request.user})"
        reason = SuppressionReason(fields["reason"])
        contact_points.suppress(value, channel=channel, reason=reason, source=source, now=now())
        return contact_points.rows(value, channel).order_by("-updated_at", "-id")[0]

    def listings(self, request: HttpRequest, obj: ContactPoint) -> list[Listing]:
        rows = Consent.objects.filter(debtor=obj.debtor_id, address=obj.value)
        filters = {"debtor__id__exact": obj.debtor_id} if obj.debtor_id else {}
        return [_consents(rows, **filters)]

    @action(description="Record consent", permissions=["consent"])  # type: ignore[untyped-decorator]
    def consent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            ConsentForm(request.POST or None, initial={"given_at": agency_today(now())}),
            lambda point, fields: consents.record(
                point,
                **fields
                | {
                    "channels": map(Channel, fields["channels"]),
                    "given_at": _start_of(fields["given_at"], now=now()),
                },
                by=request.user,  # type: ignore[arg-type]
                now=now(),
            ),
            title="Record consent to contact",
            button="Save",
            done="The consent is recorded.",
        )

    @action(description="Record number check", permissions=["check"])  # type: ignore[untyped-decorator]
    def check_number(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            NumberCheckForm(request.POST or None, initial={"checked_at": agency_today(now())}),
            lambda point, fields: consents.record_number_check(
                point,
                **fields | {"checked_at": _start_of(fields["checked_at"], now=now())},
                by=request.user,  # type: ignore[arg-type]
                now=now(),
            ),
            title="Record a check in a database of reassigned numbers",
            button="Save",
            done="The check is recorded.",
        )

    @action(  # type: ignore[untyped-decorator]
        description="Reactivate", permissions=["reactivate"], variant=ActionVariant.PRIMARY
    )
    def reactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            ReactivationForm(request.POST or None),
            lambda point, fields: contact_points.reactivate(
                point, source=f"{fields['source']} ({request.user})", now=now()
            ),
            title="Reactivate this address",
            button="Reactivate",
            done="The address is active again.",
        )


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """Consents are recorded at a contact point."""

    list_display = ("address", "channel", "debtor", "basis", "given_at", "used_at", "checked_at")
    list_filter = ("channel", "basis", "given_at")
    list_select_related = ("debtor",)
    search_fields = ("address",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode"

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))


def _consents(rows: QuerySet[Consent], **filters: Any) -> Listing:
    headers = ("Channel", "Given", "Basis", "About", "Words", "Source", "Last used", "Last check", "Recorded by")
    shown = [
        (
            row.get_channel_display(),
            f"{row.given_at:%Y-%m-%d}",
            row.get_basis_display(),
            row.scope or "every debt",
            Truncator(row.text).chars(_SHOWN_LENGTH) or "-",
            row.source or "-",
            f"{row.used_at:%Y-%m-%d}" if row.used_at else "-",
            f"{row.checked_at:%Y-%m-%d}, {row.check_source}" if row.checked_at else "-",
            row.by or "-",
        )
        for row in rows.select_related("by").order_by("-given_at", "-id")[:NEWEST]
    ]
    url = reverse("admin:debtors_consent_changelist")
    return Listing("Consents", headers, shown, f"{url}?{urlencode(filters)}", more_label="All consents of the debtor")


def _start_of(day: date, *, now: datetime) -> datetime:
    """Return the time from which a consent applies: now for today, else the start of the day.

    So an opt-out on an earlier day has precedence over a consent of the same day.
    """
    return now if day == agency_today(now) else datetime.combine(day, time.min, days.agency_zone())
