"""Conditions of a strategy rule beyond its segment, as SQL on a ``debt``, its ``debtor`` and the ``conditions`` of a row ``due``.

A rule stores them as JSON, such as ``{"countries": ["DE", "AT"], "reachable": ["sms"]}``. All of them have to be met. Another
one is a line in ``CONDITIONS``, a field of ``ConditionsSerializer`` and a sentence in ``explain``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from debtors.channels import Channel

_CALLS = ", ".join(f"'{channel.value}'" for channel in Channel if channel.is_call)
#: SQL of the kind and the value of a ``debtor``'s address for a channel.
ADDRESS = """
    SELECT CASE {channel} WHEN 'email' THEN 'email' ELSE 'phone' END AS kind,
        CASE {channel} WHEN 'email' THEN debtor.normal_email ELSE debtor.normal_phone END AS value"""
#: SQL of whether an ``address`` is suppressed for a channel.
SUPPRESSED = f"""
    EXISTS (
        SELECT FROM contact_point AS point
        WHERE point.kind = address.kind AND point.value = address.value AND (point.messages_suppressed OR point.calls_suppressed)
          AND CASE WHEN {{channel}} = 'voice' THEN point.machine_calls_suppressed
              WHEN {{channel}} IN ({_CALLS}) THEN point.calls_suppressed ELSE point.messages_suppressed END
    )"""

_REACHABLE = f"""
    NOT EXISTS (
        SELECT FROM jsonb_array_elements_text(due.conditions -> 'reachable') AS wanted (channel)
        CROSS JOIN LATERAL ({ADDRESS.format(channel="wanted.channel")}) AS address
        WHERE coalesce(address.value, '') = '' OR {SUPPRESSED.format(channel="wanted.channel")}
    )"""
_EARLIER = """
    NOT EXISTS (
        SELECT FROM jsonb_array_elements(due.conditions -> 'earlier_messages') AS wanted
        WHERE (wanted ->> 'is_sent')::boolean IS DISTINCT FROM EXISTS (
            SELECT FROM communication_log AS message LEFT JOIN strategy_step AS earlier ON earlier.message_id = message.id
            WHERE message.debt_id = debt.id AND message.direction = 'outbound' AND message.purpose = 'collection'
              AND message.status IN ('sending', 'sent', 'delivered', 'uncertain')
              AND (wanted ->> 'channel' IS NULL OR message.communication_type = wanted ->> 'channel')
              AND (wanted ->> 'rule_id' IS NULL OR earlier.rule_id = (wanted ->> 'rule_id')::uuid)
              AND (wanted ->> 'within_days' IS NULL OR coalesce(message.sent_at, message.updated_at)
                  >= %(now)s::timestamptz - (wanted ->> 'within_days')::int * interval '1 day')
        )
    )"""
_AGE = "%(day)s::date - coalesce(debt.due_date, debt.placement_date)"
#: By the name in a rule's ``conditions``.
CONDITIONS: dict[str, str] = {
    "balances": """
        EXISTS (
            SELECT FROM jsonb_array_elements(due.conditions -> 'balances') AS band
            WHERE band ->> 'currency_code' = debt.currency_code
              AND debt.current_balance >= coalesce((band ->> 'minimum')::numeric, 0)
              AND (band ->> 'maximum' IS NULL OR debt.current_balance < (band ->> 'maximum')::numeric)
        )""",
    "min_age_days": f"{_AGE} >= (due.conditions ->> 'min_age_days')::int",
    "max_age_days": f"{_AGE} < (due.conditions ->> 'max_age_days')::int",
    "countries": "due.conditions -> 'countries' ? coalesce(debtor.country_code, '')",
    "languages": "due.conditions -> 'languages' ? coalesce(debtor.language_preference, '')",
    "creditor_ids": "due.conditions -> 'creditor_ids' ? debt.creditor_id::text",
    "reachable": _REACHABLE,
    "earlier_messages": _EARLIER,
}
_MET = "\n AND ".join(f"(NOT due.conditions ? '{name}' OR {sql})" for name, sql in CONDITIONS.items())
#: SQL of whether a row ``due`` does not meet the conditions of its rule.
UNMET = f"""
    due.conditions <> '{{}}' AND NOT EXISTS (
        SELECT FROM debt JOIN debtor ON debtor.id = debt.debtor_id WHERE debt.id = due.debt_id AND {_MET}
    )"""


def explain(conditions: Mapping[str, Any]) -> str:
    """Describe the conditions of a rule; empty if it has none."""
    return "; ".join(_sentences(conditions))


def _sentences(conditions: Mapping[str, Any]) -> Iterator[str]:
    for band in conditions.get("balances", ()):
        bounds = [f"from {band['minimum']:,}" if band.get("minimum") is not None else ""]
        bounds += [f"below {band['maximum']:,}" if band.get("maximum") is not None else ""]
        yield " ".join(["balance", *filter(None, bounds), "in", band["currency_code"]])
    if (days := conditions.get("min_age_days")) is not None:
        yield f"at least {days} days old"
    if (days := conditions.get("max_age_days")) is not None:
        yield f"less than {days} days old"
    for name, label in (("countries", "country"), ("languages", "language")):
        if name in conditions:
            yield f"{label} {' or '.join(conditions[name])}"
    if "creditor_ids" in conditions:
        yield f"{len(conditions['creditor_ids'])} creditors"
    for channel in conditions.get("reachable", ()):
        yield f"reachable by {Channel(channel).label.lower()}"
    for wanted in conditions.get("earlier_messages", ()):
        words = ["a message" if wanted["is_sent"] else "no message"]
        words += [f"by {Channel(wanted['channel']).label.lower()}"] if wanted.get("channel") else []
        words += [f"of rule {wanted['rule_id']}"] if wanted.get("rule_id") else []
        words += [f"in the last {wanted['within_days']} days"] if wanted.get("within_days") else ["before"]
        yield " ".join(words)
