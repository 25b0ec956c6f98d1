"""What pages of the back office show of the contact gate: whether somebody may be contacted now, and why a message went."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from collection.models import Debt
from communications.contact import decisions, policy_book, preview, words
from communications.contact.gate import Decision, Facts, Verdict
from communications.contact.preview import Preview
from communications.contact.rules import Policy
from communications.models import CommunicationLog, ContactDecision, ContactPolicy
from ddc.common.admin.listings import Listing, link, listing
from debtors.models import Debtor

_TITLE = "May we contact them now?"
_HEADERS = ("Channel", "Now", "From when on", "What speaks against it")


def of_debtor(debtor: Debtor) -> Listing:
    """Tell of each channel whether a debtor may be contacted now, about no debt in particular."""
    return _panel(preview.of_debtor(debtor, debts=[], now=now()), debtor_id__exact=debtor.pk)


def of_debt(debt: Debt) -> Listing:
    """The same about one debt."""
    previews = preview.of_debtor(debt.debtor, debts=[debt], now=now())
    return _panel([preview for preview in previews if preview.debt], debt_id__exact=debt.pk)


def of_message(log: CommunicationLog) -> Listing:
    """Tell what the gate said of a message, each time that it was asked."""
    columns = {
        "Asked": lambda decision: f"{decision.at:%Y-%m-%d %H:%M:%S}",
        "For them it was": lambda decision: words.clocks(_facts(decision).zones, decision.at),
        "It said": lambda decision: words.VERDICTS[Verdict(decision.verdict)],
        "From when on": lambda decision: _moment(decision.until),
        "Why": why,
    }
    rows = ContactDecision.objects.filter(log_id=log.pk).order_by("-at", "-id")
    return listing("What the contact gate said", rows, columns, log_id__exact=log.pk)


def why(decision: ContactDecision) -> SafeString | str:
    """Name all that speaks against a contact; of one that may go, what was asked."""
    if decision.reasons:
        return reasons(decision.reasons)
    if not decision.policies:
        return "They had asked for it themselves."
    named = policy_book.current().named
    lines = [_demanded(name, named.get(name)) for name in decision.policies]
    return format_html(
        "<div>Nothing spoke against it. What had to be:<ul>{}</ul></div>",
        format_html_join("", "<li>{} <small>{}</small></li>", lines),
    )


def _demanded(name: str, policy: Policy | None) -> tuple[str, str]:
    if policy is None:
        return "what the agency or they themselves asked for", name
    return ", ".join(words.demands(policy)), f"{policy.section}, {name}"


def reasons_of(decision: Decision) -> SafeString | str:
    """Show the reasons of a decision that isn't kept."""
    return reasons(map(decisions.reason_as_json, decision.reasons)) if decision.reasons else "-"


def reasons(told: Iterable[dict[str, Any]]) -> SafeString:
    """Show reasons as they are kept, each with the section and the policy's version."""
    lines = [(reason["words"], reason["code"], _source(reason)) for reason in told]
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{} <small>{}{}</small></li>", lines))


def _source(reason: dict[str, Any]) -> str:
    policy = f"{reason['policy']}@{reason['version']}" if reason.get("version") else ""
    return "".join(f", {part}" for part in (reason.get("section"), policy) if part)


def asked(decision: ContactDecision) -> SafeString | str:
    """Show the policies that were asked, each in its version, and what they demand."""
    versions = policy_book.versions(decision.policies)
    lines = [_asked(name, versions.get(name)) for name in decision.policies]
    return (
        format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {} <small>{}</small></li>", lines)) if lines else "-"
    )


def _asked(name: str, version: ContactPolicy | None) -> tuple[Any, str, str]:
    if version is None:
        return name, "the agency's or the debtor's own", ""
    return link(version, name), ", ".join(words.demands(version.value)), version.section


def known(decision: ContactDecision) -> SafeString | str:
    """Show what was known when the decision was made."""
    lines = [(line,) for line in words.known(_facts(decision), decision.at)]
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines)) if lines else "-"


def _facts(decision: ContactDecision) -> Facts:
    return decisions.facts_from_json(decision.facts)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "-"


def _panel(previews: Sequence[Preview], **filters: Any) -> Listing:
    at = now()
    rows = [
        (
            words.CHANNELS[preview.channel],
            words.VERDICTS[preview.decision.verdict],
            _next(preview, at),
            reasons_of(preview.decision),
        )
        for preview in previews
    ]
    url = reverse("admin:communications_contactdecision_changelist")
    return Listing(_TITLE, _HEADERS, rows, f"{url}?{urlencode(filters)}", more_label="All decisions")


def _next(preview: Preview, at: datetime) -> str:
    if preview.decision.verdict == Verdict.ALLOW:
        return "now"
    if preview.next_at is None:
        return "not before something changes"
    return f"{_moment(preview.next_at)}: {words.clocks(preview.facts.zones, preview.next_at)}"
