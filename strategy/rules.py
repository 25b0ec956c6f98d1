"""Create, amend and delete strategy rules."""

from datetime import datetime
from typing import Any

from django.db import transaction

from ddc.common.errors import DomainError, Duplicate, deleting, refusing
from strategy import triggers, withdrawals
from strategy.models import RunningDebts, StrategyRule


class ChannelDiffers(DomainError):
    """A rule sends its template on the template's channel."""

    status = 422
    code = "enum"
    field = "channel"

    def __init__(self, channel: str) -> None:
        super().__init__(f"The template is for {channel}. Choose {channel}, or another template.")


class RuleInUse(DomainError):
    """A rule that queued messages is kept, because it explains why they were sent."""

    message = "This rule has queued messages and can't be deleted. Make it inactive instead."


_CONSTRAINTS: dict[str, DomainError] = {
    "strategy_rule_name_is_unique": Duplicate("A rule with this name exists already.", field="name")
}


def create(**fields: Any) -> StrategyRule:
    """Create a rule with its template's channel.

    :raises Duplicate: if a rule with this name exists
    :raises ChannelDiffers: if another channel than the template's is given
    :raises TriggerIncomplete: if the trigger lacks a value
    """
    return _save(StrategyRule(trigger={}), fields)


@transaction.atomic
def amend(rule: StrategyRule, *, now: datetime, **fields: Any) -> StrategyRule:
    """Change some fields, which publishes a new version under the same id.

    A new template also sets its channel, unless one is given.

    ``running_debts`` of this change decides whether debts whose clock has started move to the new version; by default they do.

    Switching a rule off withdraws its queued messages. The lock waits for a run that is queueing for the rule.

    :raises DomainError: as ``create`` does
    """
    current = StrategyRule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    was_active = current.is_active
    current.published_at, current.running_debts = now, RunningDebts.MOVE
    saved = _save(current, fields)
    if was_active and not saved.is_active:
        withdrawals.of_rule_switched_off(saved, now=now)
    return saved


def active() -> list[StrategyRule]:
    """Return the active rules with their templates, in the order in which a run uses them."""
    found = StrategyRule.objects.filter(is_active=True).select_related("template")
    return list(found.order_by("priority", "created_at", "id"))


def delete(rule: StrategyRule) -> None:
    """Delete a rule that has queued nothing.

    :raises RuleInUse: if it has queued a message
    """
    if rule.steps.exists():
        raise RuleInUse  # Django would load each step first.
    with deleting(RuleInUse):
        StrategyRule.objects.filter(pk=rule.pk).delete()


def _save(rule: StrategyRule, fields: dict[str, Any]) -> StrategyRule:
    channel = fields.pop("channel", None)
    rule.trigger = triggers.complete(fields.pop("trigger", {}), current=rule.trigger)
    for name, value in fields.items():
        setattr(rule, name, value)
    if channel not in (None, rule.template.communication_type):
        raise ChannelDiffers(rule.template.communication_type)
    rule.channel = rule.template.communication_type
    with refusing(_CONSTRAINTS):
        rule.save()
    return rule
