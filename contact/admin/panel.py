"""Tables and lists about the contact gate's answers, for pages of the back office."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from contact import explain, policies
from contact.decision_json import facts_from_json
from contact.engine.decision import Decision, Facts, Verdict
from contact.models import ContactDecision
from contact.preview import Preview
from ddc.common import dataclass_json
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import when

_HEADERS = ("Channel", "Now", "Next contact allowed", "Reasons", "Assumptions")


def of_previews(previews: Sequence[Preview], **filters: Any) -> Listing:
    """Show for each channel whether contact is allowed now; ``filters`` are those of the list of all decisions."""
    rows = [
        (
            preview.channel.label,
            _verdict(preview),
            _next_allowed(preview),
            reasons(preview.decision),
            _list("{}", [(line,) for line in _assumptions(preview)]),
        )
        for preview in previews
    ]
    url = reverse("admin:contact_contactdecision_changelist")
    return Listing("May we contact now?", _HEADERS, rows, f"{url}?{urlencode(filters)}", more_label="All decisions")


def of_message(message_id: uuid.UUID) -> Listing:
    """Show every decision on a message."""
    columns = {
        "Decided": lambda decision: when(decision.at, seconds=True),
        "Debtor's local time": lambda decision: explain.clocks(facts_of(decision).zones, decision.at),
        "Verdict": lambda decision: explain.VERDICTS[Verdict(decision.verdict)],
        "Next contact allowed": lambda decision: when(decision.until),
        "Reasons": why,
    }
    rows = ContactDecision.objects.filter(message_id=message_id).order_by("-at", "-id")
    return listing("Contact decisions", rows, columns, message_id__exact=message_id)


def why(decision: ContactDecision) -> SafeString | str:
    """List the reasons of a recorded decision; of one that allowed the contact, the demands that were met."""
    if decision.reasons:
        return recorded_reasons(decision.reasons)
    if not decision.policies:
        return f"Purpose: {decision.purpose}. It may be sent at any hour."
    known = policies.current().by_versioned_name
    lines = []
    for name in decision.policies:
        policy = known.get(name)
        demands = ", ".join(explain.demands(policy)) if policy else "the agency's or the debtor's own policy"
        lines.append((demands, f"{policy.section}, {name}" if policy else name))
    return format_html("<div>Every demand was met:{}</div>", _list("{} <small>{}</small>", lines))


def reasons(decision: Decision) -> SafeString | str:
    """List the reasons of a decision that is not recorded."""
    return recorded_reasons(map(dataclass_json.write, decision.reasons)) if decision.reasons else "-"


def recorded_reasons(some: Iterable[dict[str, Any]]) -> SafeString:
    """List recorded reasons, each with its section and the version of its policy."""
    return _list("{} <small>{}{}</small>", [(reason["text"], reason["code"], _source(reason)) for reason in some])


def _source(reason: dict[str, Any]) -> str:
    policy = f"{reason['policy']}@{reason['version']}" if reason.get("version") else ""
    return "".join(f", {part}" for part in (reason.get("section"), policy, _read(reason.get("confidence", ""))) if part)


def applied_policies(decision: ContactDecision) -> SafeString | str:
    """List the policies that were applied, each in its version, with their demands."""
    versions = policies.versions(decision.policies)
    lines = []
    for name in decision.policies:
        row = versions.get(name)
        of_policy = (link(row, name), ", ".join(explain.demands(row.value)), row.section) if row else None
        lines.append(of_policy or (name, "the agency's or the debtor's own policy", ""))
    return _list("{}: {} <small>{}</small>", lines) if lines else "-"


def known_facts(decision: ContactDecision) -> SafeString | str:
    """List the facts of a recorded decision."""
    lines = [(line,) for line in explain.facts(facts_of(decision), decision.at)]
    return _list("{}", lines) if lines else "-"


def facts_of(decision: ContactDecision) -> Facts:
    return facts_from_json(decision.facts)


def _list(item: str, lines: Iterable[Sequence[Any]]) -> SafeString:
    return format_html("<ul>{}</ul>", format_html_join("", f"<li>{item}</li>", lines))


def _verdict(preview: Preview) -> SafeString:
    verdict, read = explain.VERDICTS[preview.decision.verdict], _read(preview.confidence)
    return format_html("{} <small>{}</small>", verdict, read)


def _read(confidence: str) -> str:
    return f"confidence: {confidence}" if confidence else ""


def _assumptions(preview: Preview) -> Iterator[str]:
    yield from explain.assumptions(preview.facts)
    yield from explain.channel_assumptions(preview.facts)


def _next_allowed(preview: Preview) -> str:
    if preview.decision.verdict == Verdict.ALLOW:
        return "now"
    if preview.next_at is None:
        return "not unless something changes"
    return f"{when(preview.next_at)}: {explain.clocks(preview.facts.zones, preview.next_at)}"
