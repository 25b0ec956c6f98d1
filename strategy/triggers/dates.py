# ruff: noqa: S608 -- the statements are composed of our own constants
"""Triggers that count from a date: a placement, a due date, a payment, a contact, the end of a hold, an instalment."""

from collections.abc import Mapping
from typing import Any

from debtors.channels import Channel
from strategy.triggers.base import MAX_DAYS, Choice, Trigger, WholeNumber, in_days, local_day

_DAYS_AFTER = WholeNumber("Days after", 0, MAX_DAYS, "0: on the day itself.")


class TimeTrigger(Trigger):
    """Due a number of days after the debt's placement."""

    label = "Time since placement"
    fields = {"days_since_placement": WholeNumber("Days since placement", 0, MAX_DAYS)}
    # The debt stands for its placement, so that a corrected placement date does not start the clock again.
    anchors = "SELECT debt.id, debt.placement_date AS day, debt.created_at AS recorded_at"
    days = "rule.days_since_placement"

    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
        days = values["days_since_placement"]
        return f"{days} day{'' if days == 1 else 's'} after placement"


class DueDateTrigger(Trigger):
    """Due a number of days before or after the debt's due date. Another due date starts the clock again."""

    label = "Due date"
    fields = {
        "days_from_due_date": WholeNumber("Days from the due date", -365, MAX_DAYS, "Below 0: before the due date.")
    }
    # A due date has no record of its own: 30 June 2026 is the anchor 00000000-0000-0000-0000-000020260630.
    anchors = """
        SELECT lpad(to_char(debt.due_date, 'YYYYMMDD'), 32, '0')::uuid AS id, debt.due_date AS day,
            debt.created_at AS recorded_at
        WHERE debt.due_date IS NOT NULL"""
    days = "rule.days_from_due_date"

    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
        return in_days(values["days_from_due_date"], "the due date")


class AfterTrigger(Trigger):
    """Due a number of days after something, 0 for the same day."""

    fields = {"days_after": _DAYS_AFTER}
    days = "rule.days_after"
    #: What the days follow.
    event: str

    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
        return in_days(values["days_after"], self.event)


class LastPaymentTrigger(AfterTrigger):
    """Due a number of days after the debt's last completed payment."""

    label, event = "Last payment", "the last payment"
    anchors = """
        SELECT payment.id, payment.payment_date AS day, payment.created_at AS recorded_at FROM payment
        WHERE payment.debt_id = debt.id AND payment.status = 'completed' AND NOT EXISTS (
            SELECT FROM payment AS later WHERE later.debt_id = debt.id AND later.status = 'completed'
              AND (later.payment_date, later.id) > (payment.payment_date, payment.id)
        )"""


class LastContactTrigger(AfterTrigger):
    """Due a number of days after our last message about the debt by a channel, or the last call that an agent made."""

    label = "Last contact"
    fields = {"contact_channel": Choice("Channel of the contact", tuple(Channel.choices)), **AfterTrigger.fields}
    anchors = f"""
        SELECT message.id, {local_day("coalesce(message.outcome_at, message.sent_at)")} AS day,
            coalesce(message.outcome_at, message.sent_at) AS recorded_at
        FROM communication_log AS message
        WHERE message.debt_id = debt.id AND message.communication_type = rule.contact_channel
          AND {{is_contact}} AND NOT EXISTS (
            SELECT FROM communication_log AS later
            WHERE later.debt_id = debt.id AND later.communication_type = message.communication_type AND {{is_later_contact}}
              AND (coalesce(later.outcome_at, later.sent_at), later.id)
                  > (coalesce(message.outcome_at, message.sent_at), message.id)
        )"""
    _is_contact = """{0}.direction = 'outbound' AND {0}.purpose = 'collection' AND {0}.status IN ('sent', 'delivered')
          AND ({0}.communication_type <> 'call_script' OR {0}.outcome_at IS NOT NULL)"""
    anchors = anchors.format(is_contact=_is_contact.format("message"), is_later_contact=_is_contact.format("later"))

    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
        return in_days(values["days_after"], f"the last {Channel(values['contact_channel']).label.lower()}")


class PauseEndTrigger(AfterTrigger):
    """Due a number of days after a hold that kept the strategy away has ended, such as a deferral."""

    label, event = "End of a hold or deferral", "the end of a hold or deferral"
    anchors = f"""
        SELECT hold.id, least(hold.ends_on, {local_day("hold.ended_at")}) AS day, hold.ended_at AS recorded_at FROM hold
        WHERE (hold.debt_id = debt.id OR hold.debtor_id = debt.debtor_id) AND hold.blocks_strategy
          AND hold.ended_at IS NOT NULL AND least(hold.ends_on, {local_day("hold.ended_at")}) > hold.starts_on"""


class InstalmentTrigger(Trigger):
    """Due a number of days before an instalment of an active arrangement that is not paid yet."""

    label = "Before an instalment"
    fields = {"days_before": WholeNumber("Days before", 0, 365)}
    # The payments of the arrangement's debts cover its instalments in their order.
    anchors = """
        SELECT instalment.id, instalment.due_on AS day, arrangement.created_at AS recorded_at
        FROM arrangement_debt AS part
        JOIN arrangement ON arrangement.id = part.arrangement_id
        JOIN instalment ON instalment.arrangement_id = part.arrangement_id
        WHERE part.debt_id = debt.id AND part.is_active AND (
            SELECT sum(earlier.amount) FROM instalment AS earlier
            WHERE earlier.arrangement_id = instalment.arrangement_id AND earlier.no <= instalment.no
        ) > (
            SELECT coalesce(-sum(entry.amount), 0) FROM arrangement_debt AS other
            JOIN ledger_entry AS entry ON entry.debt_id = other.debt_id AND entry.payment_id IS NOT NULL
            WHERE other.arrangement_id = part.arrangement_id AND entry.value_date >= arrangement.starts_on
        )"""
    days = "-rule.days_before"
    own_hold = "arrangement"

    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
        return in_days(-values["days_before"], "an instalment")
