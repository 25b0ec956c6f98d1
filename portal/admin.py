"""Back office pages of the portal: activities, sign-ins and revoked tokens. All are read-only."""

from django.contrib import admin
from django.db.models import Q

from collection import search
from ddc.common.admin.pages import ReadOnlyAdmin
from debtors import contact_points
from portal.models import DigitalActivity, OtpSession, RevokedDebtorToken, SignedLink


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
