"""Strategy rules as records: create, amend, delete."""

from typing import Any

from django.db import IntegrityError, connection, models, transaction

from ddc.common.errors import DomainError, Duplicate, refusing
from strategy.models import StrategyRule


class ChannelDiffers(DomainError):
    """A template says how it is sent, and a rule sends it so."""

    status = 422
    code = "enum"
    field = "channel"

    def __init__(self, channel: str) -> None:
        super().__init__(f"The template's communication type is {channel}, so this must be {channel}.")


class RuleHasFired(DomainError):
    """A rule that queued messages stays: it tells why they were sent."""

    message = "This rule has queued messages and can't be deleted. Make it inactive instead."


_CONSTRAINTS: dict[str, DomainError] = {
    "strategy_rule_name_is_unique": Duplicate("There is a rule of this name already.", field="name")
}


def create(**fields: Any) -> StrategyRule:
    """Create a rule; its channel is the template's.

    :raises Duplicate: if there is one of that name
    :raises ChannelDiffers: if another channel than the template's is given
    """
    return _save(StrategyRule(), fields)


@transaction.atomic
def amend(rule: StrategyRule, **fields: Any) -> StrategyRule:
    """Change some fields; another template brings its own channel along unless one is given.

    :raises DomainError: as ``create`` does
    """
    return _save(StrategyRule.objects.select_for_update(no_key=True).get(pk=rule.pk), fields)


@transaction.atomic
def delete(rule: StrategyRule) -> None:
    """Delete a rule that never fired.

    :raises RuleHasFired: if it queued anything
    """
    if rule.steps.exists():
        raise RuleHasFired
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            StrategyRule.objects.filter(pk=rule.pk).delete()
            # Django defers its foreign keys to COMMIT; a run that fires it meanwhile has to speak up now.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except (models.ProtectedError, IntegrityError) as error:
        raise RuleHasFired from error


def _save(rule: StrategyRule, fields: dict[str, Any]) -> StrategyRule:
    channel = fields.pop("channel", None)
    for name, value in fields.items():
        setattr(rule, name, value)
    if channel not in (None, rule.template.communication_type):
        raise ChannelDiffers(rule.template.communication_type)
    rule.channel = rule.template.communication_type
    with refusing(_CONSTRAINTS):
        rule.save()
    return rule
