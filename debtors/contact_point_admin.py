"""Back-office pages for contact points: history, suppression, consent and reactivation."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from ddc.common import days
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered
from ddc.common.days import agency_today
from debtors import contact_points, search
from debtors.channels import Channel
from debtors.models import ContactPoint, SuppressionReason


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
    """A consent to messages, with its basis and day."""

    consent_basis = forms.ChoiceField(
        label="Basis", choices=ContactPoint.ConsentBasis.choices, widget=UnfoldAdminRadioSelectWidget()
    )
    consented_at = forms.DateField(label="Day of the consent", widget=UnfoldAdminDateWidget())


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
    list_display = ("value", "kind", "debtor", "suppressions", "consented_at", "verified_at", "bounces", "created_at")
    list_filter = (SuppressionFilter, "kind", "created_at")
    list_select_related = ("debtor",)
    search_fields = ("value",)
    search_help_text = "A complete address, or the debtor's name, phone or postcode"
    actions = ()
    actions_detail = ("consent", "reactivate")
    entered = ("value", "channel", "reason", "source")
    fieldsets = (
        (None, {"fields": (("value", "kind"), "debtor", ("suppressions", "created_at"))}),
        ("Consent", {"fields": ("verified_at", ("consent_basis", "consented_at"))}),
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

    has_consent_permission = offered(Q(), "debtors.record_consent")
    has_reactivate_permission = offered(Q(), "debtors.change_contactpoint")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ContactPoint:
        channel = Channel(fields["channel"])
        value = contact_points.parse(fields["value"], channel.address_kind, field="value")
        source = f"{fields['source']} ({request.user})"
        reason = SuppressionReason(fields["reason"])
        contact_points.suppress(value, channel=channel, reason=reason, source=source, now=now())
        return contact_points.rows(value, channel).order_by("-updated_at", "-id")[0]

    @action(description="Record consent", permissions=["consent"])  # type: ignore[untyped-decorator]
    def consent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do_to_one(
            request,
            object_id,
            ConsentForm(request.POST or None, initial={"consented_at": agency_today(now())}),
            lambda point, fields: contact_points.record_consent(
                point, basis=fields["consent_basis"], at=_start_of(fields["consented_at"], now=now()), now=now()
            ),
            title="Record consent to messages",
            button="Save",
            done="The consent is recorded.",
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


def _start_of(day: date, *, now: datetime) -> datetime:
    """Return the time from which a consent applies: now for today, else the start of the day.

    So an opt-out on an earlier day has precedence over a consent of the same day.
    """
    return now if day == agency_today(now) else datetime.combine(day, time.min, days.agency_zone())
