"""The back office's pages about what the contact gate decided, and about first notices."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from collection.models import Debt
from communications.admin import contact_panel
from communications.admin.text import as_written
from communications.contact import decisions, words
from communications.contact.gate import Verdict
from communications.models import CommunicationLog, ContactDecision, FirstNotice
from ddc.common.admin.listings import link
from ddc.common.admin.pages import ReadOnlyAdmin
from debtors.models import Debtor


@admin.register(ContactDecision)
class ContactDecisionAdmin(ReadOnlyAdmin):
    """Why something went, or didn't: what was asked, what was known, and whether the same comes out of it today."""

    list_display = ("at", "said", "channel", "stage", "in_short", "until")
    list_filter = ("verdict", "channel", "stage", "at")
    search_fields = ("id",)
    search_help_text = "The whole id of the decision, the message, the debtor or the debt"
    fields = (
        ("message", "debtor", "debt"),
        ("said", "until"),
        ("at", "for_them_it_was"),
        ("channel", "purpose", "stage"),
        "why",
        "asked",
        "known",
        "again",
        "facts",
        "digest",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for line in self.fields for name in ((line,) if isinstance(line, str) else line)]

    def search_filter(self, text: str) -> Q:
        return Q(pk__in=[])

    def id_filter(self, key: object) -> Q:
        return Q(pk=key) | Q(log_id=key) | Q(debtor_id=key) | Q(debt_id=key)

    @admin.display(description="It said", ordering="verdict")
    def said(self, decision: ContactDecision) -> str:
        return words.VERDICTS[Verdict(decision.verdict)]

    @admin.display(description="Why")
    def in_short(self, decision: ContactDecision) -> str:
        return ", ".join(reason["code"] for reason in decision.reasons) or "-"

    @admin.display(description="Why")
    def why(self, decision: ContactDecision) -> str:
        return contact_panel.reasons(decision.reasons) if decision.reasons else "Nothing spoke against it."

    @admin.display(description="What was asked")
    def asked(self, decision: ContactDecision) -> str:
        return contact_panel.asked(decision)

    @admin.display(description="What was known")
    def known(self, decision: ContactDecision) -> str:
        return contact_panel.known(decision)

    @admin.display(description="For them it was")
    def for_them_it_was(self, decision: ContactDecision) -> str:
        return words.clocks(frozenset(decision.facts.get("zones", ())), decision.at)

    @admin.display(description="Decided again")
    def again(self, decision: ContactDecision) -> str:
        made = decisions.made_again(decision)
        told = [decisions.reason_as_json(reason) for reason in made.reasons]
        same = made.verdict == decision.verdict and told == decision.reasons
        if same:
            return "From these facts and policies the same comes out."
        return f"Another comes out: {made.reason or made.verdict}"

    @admin.display(description="SHA-256 of the facts")
    def digest(self, decision: ContactDecision) -> str:
        return as_written(decision.facts_digest)

    @admin.display(description="Message")
    def message(self, decision: ContactDecision) -> str:
        return _linked(CommunicationLog, decision.log_id)

    @admin.display(description="Debtor")
    def debtor(self, decision: ContactDecision) -> str:
        return _linked(Debtor, decision.debtor_id)

    @admin.display(description="Debt")
    def debt(self, decision: ContactDecision) -> str:
        return _linked(Debt, decision.debt_id)


def _linked(model: Any, key: uuid.UUID | None) -> str:
    """Link to a row that may be gone."""
    if key is None:
        return "-"
    row = model.objects.filter(pk=key).first()
    return link(row) if row else f"{key} (deleted)"


@admin.register(FirstNotice)
class FirstNoticeAdmin(ReadOnlyAdmin):
    list_display = ("debt", "sent_at", "received_on", "period_ends_on")
    list_filter = ("period_ends_on",)
    list_select_related = ("debt",)
    search_fields = ("debt",)
    search_help_text = "The debt's whole reference, or part of the debtor's name or e-mail address"

    def search_filter(self, text: str) -> Q:
        return Q(debt__external_reference=text) | Q(debt__debtor__in=Debtor.objects.matching(text).values("pk"))
