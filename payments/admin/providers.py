"""The pages of payments at providers: intents, events, payouts against the books, and the health of each provider."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from collection import search
from ddc.common.admin.event_inbox import EventInboxAdmin, EventStateFilter, as_json
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import ReadOnlyAdmin, amount, column, unbroken, when
from ddc.common.admin.workflow import ConditionFilter, offered
from payments import payouts, provider_events
from payments.models import PaymentIntent, ProviderEvent, ProviderPayout, ProviderReturn


@admin.register(PaymentIntent)
class PaymentIntentAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "debtor", "sum", "status", "provider", "came", "failure")
    list_filter = ("status", "provider", "created_at")
    list_select_related = ("debtor", "receipt")
    search_fields = ("id",)
    search_help_text = "The person's name, e-mail address, phone or reference, the provider's id, or an id"
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": (("debtor", "sum"), ("status", "failure"), "arrangement", ("receipt", "came"))}),
        ("At the provider", {"fields": (("provider", "provider_id"), ("payment_id", "expires_at"))}),
        ("Shown before the provider's page", {"fields": ("disclosure_version", "shown")}),
    )

    sum = column("Amount", lambda row: unbroken(amount(row.amount, row.currency_code)), ordering="amount")
    came = column(
        "Came", lambda row: unbroken(amount(row.receipt.amount, row.receipt.currency_code)) if row.receipt else "-"
    )

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text)) | Q(provider_id=text) | Q(payment_id=text)

    def id_filter(self, key: Any) -> Q:
        return Q(pk=key) | Q(debtor=key)

    @admin.display(description="Disclosure")
    def shown(self, intent: PaymentIntent) -> SafeString:
        return as_json(intent.disclosure)

    def listings(self, request: HttpRequest, obj: PaymentIntent) -> list[Listing]:
        debts = [
            [link(debt), debt.creditor, amount(debt.current_balance, debt.currency_code)]
            for debt in obj.debts.select_related("creditor")
        ]
        rows = ProviderReturn.objects.filter(receipt=obj.receipt_id) if obj.receipt_id else ()
        back = [
            [
                when(one.created_at),
                one.get_kind_display(),
                amount(one.amount, obj.currency_code),
                when(one.sent_at) if one.sent_at else one.error or "-",
            ]
            for one in rows
        ]
        return [
            Listing("Debts", ["Debt", "Creditor", "Open"], debts),
            Listing("Went back", ["Time", "Kind", "Amount", "Sent"], back),
        ]


@admin.register(ProviderEvent)
class ProviderEventAdmin(EventInboxAdmin):
    event_name, content_column = "event", "raw"
    act_retry, act_close = staticmethod(provider_events.retry), staticmethod(provider_events.close)
    change_list_template = "payments/provider_events.html"
    list_filter = (EventStateFilter, "provider", "received_at")
    deferred = ("raw",)

    has_rerun_permission = offered(Q(), "payments.rerun_providerevent")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the health of the providers above their events."""
        rows = [
            [
                one.provider,
                when(one.last_event) if one.last_event else "No event yet",
                when(one.oldest_unhandled) if one.oldest_unhandled else "None",
                one.unhandled,
                one.failed,
            ]
            for one in payouts.health()
        ]
        columns = ["Provider", "Last event", "Oldest unhandled", "Unhandled", "Need review"]
        shown = Listing("Provider health", columns, rows, "")
        return super().changelist_view(request, {**(extra_context or {}), "health": [shown]})


class DifferenceFilter(ConditionFilter):
    title = "difference"
    parameter_name = "difference"
    conditions = {"yes": ("Differs from the books", ~Q(paid=F("booked")))}


@admin.register(ProviderPayout)
class ProviderPayoutAdmin(ReadOnlyAdmin):
    list_display = ("paid_on", "provider", "paid_out", "payments", "in_books", "difference", "returns", "fee")
    list_filter = (DifferenceFilter, "provider", "paid_on")
    search_fields = ("payout_id",)
    search_help_text = "The provider's id"
    ordering = ("-paid_on", "-id")
    fieldsets = (
        (None, {"fields": (("provider", "payout_id"), ("paid_on", "paid_out"))}),
        ("Compared with the books", {"fields": (("payments", "in_books", "difference"), ("returns", "fee"))}),
    )

    paid_out = column("Payout", lambda row: unbroken(amount(row.amount, row.currency_code)), ordering="amount")
    payments = column("Payments in it", lambda row: unbroken(amount(row.paid, row.currency_code)))
    in_books = column("Booked", lambda row: unbroken(amount(row.booked, row.currency_code)))
    difference = column("Difference", lambda row: unbroken(amount(row.paid - row.booked, row.currency_code)))
    returns = column("Went back", lambda row: unbroken(amount(row.returned, row.currency_code)))
    fee = column("Fees", lambda row: unbroken(amount(row.fees, row.currency_code)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return payouts.with_booked(super().get_queryset(request))

    def search_filter(self, text: str) -> Q:
        return Q(payout_id=text)


def of_debtor(debtor: Any) -> Listing:
    """List the online payments of a person."""
    columns = {
        "Online payment": lambda intent: amount(intent.amount, intent.currency_code),
        "Status": lambda intent: intent.get_status_display().capitalize(),
        "Time": lambda intent: when(intent.created_at),
    }
    return listing("Online payments", PaymentIntent.objects.filter(debtor=debtor), columns, q=debtor.pk)
