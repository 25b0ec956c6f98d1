# ruff: noqa: S608 -- the statements are composed of our own constants
"""Triggers: which record starts the clock of a strategy rule for a debt, and after how many days the rule is due.

A trigger is one class and one line in ``TRIGGERS``. The API, the rule's form, matching and explanations take what they need from
there. A rule stores its trigger as ``{"type": "TimeTrigger", "days_since_placement": 7}``.
"""

from collections.abc import Collection, Mapping
from typing import Any

from ddc.common.errors import DomainError
from strategy import pauses
from strategy.triggers import dates, events
from strategy.triggers.base import MAX_DAYS, Choice, Field, Trigger, WholeNumber

__all__ = ["MAX_DAYS", "TRIGGERS", "Choice", "Field", "Trigger", "WholeNumber"]

#: By the type that the API and the database have.
TRIGGERS: dict[str, Trigger] = {
    "TimeTrigger": dates.TimeTrigger(),
    "DueDateTrigger": dates.DueDateTrigger(),
    "LastPaymentTrigger": dates.LastPaymentTrigger(),
    "LastContactTrigger": dates.LastContactTrigger(),
    "PauseEndTrigger": dates.PauseEndTrigger(),
    "InstalmentTrigger": dates.InstalmentTrigger(),
    "BouncedTrigger": events.BouncedTrigger(),
    "OpenedTrigger": events.OpenedTrigger(),
    "NotOpenedTrigger": events.NotOpenedTrigger(),
    "RepliedTrigger": events.RepliedTrigger(),
    "SignInTrigger": events.SignInTrigger(),
    "PromiseBrokenTrigger": events.PromiseBrokenTrigger(),
    "PromiseKeptTrigger": events.PromiseKeptTrigger(),
    "InstalmentMissedTrigger": events.InstalmentMissedTrigger(),
    "PaymentFailedTrigger": events.PaymentFailedTrigger(),
    "PaymentChargedBackTrigger": events.PaymentChargedBackTrigger(),
    "DisputeClosedTrigger": events.DisputeClosedTrigger(),
}


class TriggerIncomplete(DomainError):
    """A rule has to give every value that its trigger takes."""

    status = 422
    code = "required"
    message = "This trigger needs a value here."


def all_fields() -> dict[str, Field]:
    """Return the fields of all triggers, by name."""
    return {name: field for trigger in TRIGGERS.values() for name, field in trigger.fields.items()}


def complete(given: Mapping[str, Any], *, current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the trigger to store; values that are not given stay as they are while the type does.

    :raises TriggerIncomplete: if a value is missing
    """
    kind = given.get("type") or current["type"]
    values = {**(current if current.get("type") == kind else {}), **given}
    for name in TRIGGERS[kind].fields:
        if values.get(name) in (None, ""):
            raise TriggerIncomplete(field=f"trigger.{name}")
    return {"type": kind, **{name: values[name] for name in TRIGGERS[kind].fields}}


def explain(trigger: Mapping[str, Any]) -> str:
    """Describe when a rule with this trigger is due."""
    return TRIGGERS[trigger["type"]].explain(trigger)


def occurrences_sql(types: Collection[str], *, shard: str) -> str:
    """Return SQL of each anchor of each ``debt`` and ``rule`` with one of these triggers, and the day on which the rule is due.

    :param shard: an SQL condition on ``debt``
    """
    return "\nUNION ALL\n".join(_ARM.format(shard=shard, **_parts(kind)) for kind in sorted(types)) or _NONE


_COLUMNS = (
    "rule.id AS rule_id, rule.version_id, rule.template_id, rule.channel, rule.conditions, rule.max_lateness_days, "
    "debt.id AS debt_id, rule.after_pause, debt.debtor_id, debt.current_status, debt.current_balance, debt.disputed_amount"
)
_ARM = f"""
    SELECT {_COLUMNS}, anchor.id AS anchor, {{occurrence}} AS occurrence, {{planned}} AS planned,
        anchor.recorded_at, {{own_hold}} AS own_hold
    FROM rule JOIN debt ON debt.segment_id = rule.segment_id CROSS JOIN LATERAL ({{anchors}}) AS anchor
    LEFT JOIN paused ON paused.debt_id = debt.id
    WHERE rule.trigger_type = '{{kind}}' AND {{shard}}
      AND anchor.recorded_at >= rule.applies_from AND anchor.recorded_at < rule.applies_until"""
_NONE = f"""
    SELECT {_COLUMNS}, debt.id AS anchor, debt.placement_date AS occurrence, debt.placement_date AS planned,
        debt.created_at AS recorded_at, NULL::text AS own_hold
    FROM rule, debt WHERE false"""


def _parts(kind: str) -> dict[str, str]:
    trigger = TRIGGERS[kind]
    due = f"anchor.day + ({trigger.days})"
    if trigger.own_hold:
        own_hold, occurrence = f"'{trigger.own_hold}'", due
    else:
        own_hold, occurrence = "NULL::text", pauses.OCCURRENCE.format(due=due)
    return {"kind": kind, "anchors": trigger.anchors, "planned": due, "occurrence": occurrence, "own_hold": own_hold}


def columns_sql() -> str:
    """Return SQL of the columns of ``rule`` that ``occurrences_sql`` reads."""
    values = (f"(trigger ->> '{name}')::{field.sql_type} AS {name}" for name, field in all_fields().items())
    return ", ".join(["trigger ->> 'type' AS trigger_type", *values])
