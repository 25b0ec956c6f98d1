"""The back office's pages about the contact gate, to look at: policies in all versions, decisions, wishes and notices."""

from django.contrib import admin
from django.db.models import Q

from communications.models import ContactDecision, ContactPolicy, ContactWish, FirstNotice
from ddc.common.admin import ReadOnlyAdmin
from debtors.models import Debtor


@admin.register(ContactPolicy)
class ContactPolicyAdmin(ReadOnlyAdmin):
    list_display = (
        "jurisdiction",
        "code",
        "version",
        "section",
        "valid_from",
        "valid_to",
        "opens",
        "closes",
        "most",
        "per_days",
    )
    list_filter = ("jurisdiction",)
    search_fields = ("code",)
    search_help_text = "Part of the jurisdiction's or the rule's name, or of the section"

    def matches(self, words: str) -> Q:
        return Q(jurisdiction__icontains=words) | Q(code__icontains=words) | Q(section__icontains=words)


@admin.register(ContactDecision)
class ContactDecisionAdmin(ReadOnlyAdmin):
    list_display = ("at", "verdict", "channel", "stage", "log_id", "until")
    list_filter = ("verdict", "channel", "at")
    search_fields = ("id",)
    search_help_text = "The whole id of the decision, the message, the debtor or the debt"

    def matches(self, words: str) -> Q:
        return Q(pk__in=[])

    def with_id(self, key: object) -> Q:
        return Q(pk=key) | Q(log_id=key) | Q(debtor_id=key) | Q(debt_id=key)


@admin.register(ContactWish)
class ContactWishAdmin(ReadOnlyAdmin):
    list_display = ("debtor", "told", "opens", "closes", "no_contact", "time_zone", "created_at", "ended_at")
    list_select_related = ("debtor",)
    search_fields = ("id",)
    search_help_text = "Part of the debtor's name or e-mail address"

    def matches(self, words: str) -> Q:
        return Q(debtor__in=Debtor.objects.matching(words).values("pk"))


@admin.register(FirstNotice)
class FirstNoticeAdmin(ReadOnlyAdmin):
    list_display = ("debt", "sent_at", "received_on", "period_ends_on")
    list_filter = ("period_ends_on",)
    list_select_related = ("debt",)
    search_fields = ("debt",)
    search_help_text = "The debt's whole reference, or part of the debtor's name or e-mail address"

    def matches(self, words: str) -> Q:
        return Q(debt__external_reference=words) | Q(debt__debtor__in=Debtor.objects.matching(words).values("pk"))
