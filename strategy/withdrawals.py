"""Withdraw the queued messages of a strategy rule, a run, a creditor or a person."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from agents.models import Agent, require_permission
from collection.models import Debt
from communications.models import UncertainResolution
from communications.sending import withdrawal
from communications.sending.withdrawal import Withdrawn
from creditors.models import Creditor
from ddc.common.errors import DomainError
from debtors.models import Debtor
from strategy.models import StrategyRule, StrategyRun, StrategyStep

PERMISSION = "communications.withdraw_communicationlog"
SWITCHED_OFF = "The strategy rule “{name}” was switched off."


class SelectorRequired(DomainError):
    """A withdrawal is about one rule, run, creditor or person."""

    status = 422
    code = "required"
    message = "Choose one of a rule, a run, a creditor or a person."


@dataclass(frozen=True)
class Selection:
    """The rule, run, creditor or person that messages are withdrawn of: exactly one of them.

    :raises SelectorRequired: if none or several are given
    """

    rule: StrategyRule | None = None
    run: StrategyRun | None = None
    creditor: Creditor | None = None
    debtor: Debtor | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.rule, self.run, self.creditor, self.debtor)) != 1:
            raise SelectorRequired

    @property
    def condition(self) -> Q:
        """The condition of their messages. Sub-queries, so that only messages are locked."""
        if self.debtor:
            return Q(debtor=self.debtor)
        if self.creditor:
            return Q(Exists(Debt.objects.filter(pk=OuterRef("debt_id"), creditor=self.creditor)))
        steps = StrategyStep.objects.filter(rule=self.rule) if self.rule else StrategyStep.objects.filter(run=self.run)
        own = Exists(steps.filter(message=OuterRef("pk")))
        # A message that an agent sent again in place of an uncertain one has no step of its own.
        sent_again = UncertainResolution.objects.filter(
            Exists(steps.filter(message=OuterRef("message_id"))), replacement=OuterRef("pk")
        )
        return Q(own) | Q(Exists(sent_again))


def preview(selection: Selection, *, now: datetime) -> Withdrawn:
    """Count the messages that ``withdraw`` would stop now, and those that it would not."""
    return withdrawal.preview(selection.condition, now=now)


def withdraw(selection: Selection, *, by: Agent, reason: str | None = None, now: datetime) -> Withdrawn:
    """Withdraw the queued messages of a selection; they keep who did it and why.

    :raises Forbidden: if the agent lacks the permission
    """
    require_permission(by, PERMISSION)
    text = f"Withdrawn by {by}" + (f": {reason.strip()}" if reason and reason.strip() else ".")
    return withdrawal.withdraw(selection.condition, reason=text, now=now)


def of_rule_switched_off(rule: StrategyRule, *, now: datetime) -> Withdrawn:
    """Withdraw the queued messages of a rule that this transaction switches off."""
    return withdrawal.withdraw(Selection(rule=rule).condition, reason=SWITCHED_OFF.format(name=rule.name), now=now)
