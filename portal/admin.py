"""Back office pages of the portal: activities, sign-ins and revoked tokens. All are read-only."""

from django.contrib import admin
from django.db.models import Q

from collection import search
from ddc.common.admin.pages import ReadOnlyAdmin, amount, column
from debtors import contact_points
from portal.models import (
    AddressChange,
    Budget,
    DigitalActivity,
    OtpSession,
    PortalViewing,
    RevokedDebtorToken,
    SignedLink,
)


@admin.register(DigitalActivity)
class DigitalActivityAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "activity_type", "debtor", "debt", "path")
    list_filter = ("created_at",)
    list_select_related = ("debtor", "debt")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of a reference"

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))


@admin.register(OtpSession)
class OtpSessionAdmin(ReadOnlyAdmin):
    """Requests for a code. The code is not stored, and not shown."""

    list_display = ("created_at", "address", "client_ip", "tries", "tries_with_token", "used_at", "expires_at")
    list_filter = ("created_at", ("used_at", admin.EmptyFieldListFilter))
    search_fields = ("address",)
    search_help_text = "A complete phone number, such as +447700900123, or e-mail address"

    def search_filter(self, text: str) -> Q:
        return Q(address=contact_points.normal_form(text))


@admin.register(SignedLink)
class SignedLinkAdmin(ReadOnlyAdmin):
    """Links in messages. Their tokens are not stored."""

    list_display = ("created_at", "debtor", "purpose", "wrong_answers", "ended_at", "expires_at")
    list_filter = ("created_at", "purpose")
    list_select_related = ("debtor",)
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or an id"

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))


@admin.register(RevokedDebtorToken)
class RevokedDebtorTokenAdmin(ReadOnlyAdmin):
    list_display = ("jti", "expires_at")


@admin.register(AddressChange)
class AddressChangeAdmin(ReadOnlyAdmin):
    """Changes of a phone or an e-mail address that debtors asked for. The code is not stored, and not shown."""

    list_display = ("created_at", "debtor", "kind", "value", "tries", "done_at")
    list_filter = ("created_at", ("done_at", admin.EmptyFieldListFilter))
    list_select_related = ("debtor",)
    search_fields = ("normal_value",)
    search_help_text = "A complete phone number, such as +447700900123, or e-mail address"

    def search_filter(self, text: str) -> Q:
        return Q(normal_value=contact_points.normal_form(text))


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "debtor", "comes", "goes", "left", "offers")
    list_filter = ("created_at",)
    list_select_related = ("debtor",)
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of a reference"
    empty_text = "Budgets that debtors enter in the portal arrive here."
    fields = (("debtor", "created_at"), ("comes", "goes"), ("left", "offers", "percent"), "income", "essentials")

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))

    comes = column("Comes in", lambda budget: amount(budget.total_income, budget.currency_code))
    goes = column("Goes out", lambda budget: amount(budget.total_essentials, budget.currency_code))
    left = column("Is left", lambda budget: amount(budget.left_over, budget.currency_code))
    offers = column("Offered a month", lambda budget: amount(budget.offered, budget.currency_code))


@admin.register(PortalViewing)
class PortalViewingAdmin(ReadOnlyAdmin):
    """The pages of the portal at which agents looked, by debtor."""

    list_display = ("created_at", "agent", "debtor", "page")
    list_filter = ("created_at",)
    list_select_related = ("agent", "debtor")
    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of a reference"
    empty_text = "Who looks at a debtor's portal, by “See what the debtor sees”, is listed here."

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=search.debtors(text))
