"""The back office's pages about decisions of the contact gate, and about validation notices."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html

from collection import search
from collection.models import Debt
from contact import decisions, explain
from contact.admin import panel
from contact.engine.decision import Verdict
from contact.models import ContactDecision, ValidationNotice
from ddc.common import dataclass_json
from ddc.common.admin.listings import link
from ddc.common.admin.pages import ReadOnlyAdmin, column
from debtors.models import Debtor


@admin.register(ContactDecision)
class ContactDecisionAdmin(ReadOnlyAdmin):
    """Why a message was sent, or was not: the policies applied, the facts, and the reasons."""

    list_display = ("at", "answer", "channel", "stage", "codes", "until")
    list_filter = ("verdict", "channel", "stage", "at")
    search_fields = ("id",)
    search_help_text = "The whole id of the decision, the message, the debtor or the debt"
    fields = (
        ("message", "debtor", "debt"),
        ("answer", "until"),
        ("at", "local_time"),
        ("channel", "purpose", "stage"),
        "why",
        "applied_policies",
        "known_facts",
        "repeated",
        "facts",
        "facts_digest",
    )

    def search_filter(self, text: str) -> Q:
        return Q(pk__in=[])

    def id_filter(self, key: uuid.UUID) -> Q:
        return Q(pk=key) | Q(message_id=key) | Q(debtor_id=key) | Q(debt_id=key)

    answer = column("Verdict", lambda decision: explain.VERDICTS[Verdict(decision.verdict)], ordering="verdict")
    codes = column("Reasons", lambda decision: ", ".join(reason["code"] for reason in decision.reasons) or "-")
    why = column("Reasons", lambda decision: panel.recorded_reasons(decision.reasons) if decision.reasons else "None")
    applied_policies = column("Policies applied", panel.applied_policies)
    known_facts = column("Known facts", panel.known_facts)
    local_time = column("Debtor's local time", lambda one: explain.clocks(panel.facts_of(one).zones, one.at))
    debtor = column("Debtor", lambda decision: _linked(Debtor, decision.debtor_id))
    debt = column("Debt", lambda decision: _linked(Debt, decision.debt_id))

    @admin.display(description="Repeated now")
    def repeated(self, decision: ContactDecision) -> str:
        again = decisions.repeat(decision)
        same_reasons = list(map(dataclass_json.write, again.reasons)) == decision.reasons
        if again.verdict == decision.verdict and same_reasons:
            return "These facts and policies give the same decision."
        return f"These facts and policies give another decision: {again.reason or again.verdict}"

    @admin.display(description="Message")
    def message(self, decision: ContactDecision) -> str:
        url = reverse("admin:communications_communicationlog_change", args=[decision.message_id])
        return format_html('<a class="underline" href="{}">Open the message</a>', url)


def _linked(model: Any, key: uuid.UUID | None) -> str:
    """Link to a row, which may have been deleted."""
    if key is None:
        return "-"
    row = model.objects.filter(pk=key).first()
    return link(row) if row else f"{key} (deleted)"


@admin.register(ValidationNotice)
class ValidationNoticeAdmin(ReadOnlyAdmin):
    list_display = ("debt", "sent_at", "received_on", "period_ends_on")
    list_filter = ("period_ends_on",)
    list_select_related = ("debt",)
    search_fields = ("debt",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, or part of the reference"

    def search_filter(self, text: str) -> Q:
        return Q(debt__in=search.debts(text))
