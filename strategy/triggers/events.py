# ruff: noqa: S608 -- the statements are composed of our own constants
"""Triggers that count from an event: of a message, of the debtor, of an arrangement, of a payment, of a dispute."""

from strategy.triggers.base import local_day
from strategy.triggers.dates import AfterTrigger


def _messages(instant: str, condition: str) -> str:
    """Return SQL of our messages about a debt to which something happened."""
    return f"""
        SELECT message.id, {local_day(f"message.{instant}")} AS day, message.{instant} AS recorded_at
        FROM communication_log AS message
        WHERE message.debt_id = debt.id AND message.direction = 'outbound' AND message.purpose = 'collection' AND {condition}"""


def _arrangements(kind: str) -> str:
    """Return SQL of the events of a kind in the arrangements of a debt."""
    return f"""
        SELECT event.id, {local_day("event.at")} AS day, event.at AS recorded_at
        FROM arrangement_debt AS part JOIN arrangement_event AS event ON event.arrangement_id = part.arrangement_id
        WHERE part.debt_id = debt.id AND event.kind = '{kind}'"""


class BouncedTrigger(AfterTrigger):
    label, event = "Message bounced", "a message bounced"
    anchors = _messages("updated_at", "message.status = 'bounced'")


class OpenedTrigger(AfterTrigger):
    label, event = "E-mail opened", "an e-mail was opened"
    anchors = _messages("opened_at", "message.opened_at IS NOT NULL")


class NotOpenedTrigger(AfterTrigger):
    label, event = "E-mail not opened", "an e-mail was sent that is not opened"
    anchors = _messages(
        "sent_at",
        "message.communication_type = 'email' AND message.status IN ('sent', 'delivered') AND message.opened_at IS NULL",
    )


class RepliedTrigger(AfterTrigger):
    """An answer that names no debt is about all debts of the person. An automatic reply is no answer."""

    label, event = "Debtor replied", "the debtor replied"
    anchors = f"""
        SELECT message.id, {local_day("message.created_at")} AS day, message.created_at AS recorded_at
        FROM communication_log AS message
        WHERE message.debtor_id = debt.debtor_id AND message.direction = 'inbound'
          AND (message.debt_id IS NULL OR message.debt_id = debt.id) AND message.asks_for IS DISTINCT FROM 'automatic'"""


class SignInTrigger(AfterTrigger):
    """The last sign-in to the portal, if no payment of the debt was recorded since."""

    label, event = "Sign-in without payment", "a sign-in to the portal without a payment"
    anchors = f"""
        SELECT session.id, {local_day("session.used_at")} AS day, session.used_at AS recorded_at FROM otp_session AS session
        WHERE session.debtor_id = debt.debtor_id AND session.used_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM otp_session AS later
            WHERE later.debtor_id = debt.debtor_id AND (later.used_at, later.id) > (session.used_at, session.id)
        ) AND NOT EXISTS (
            SELECT FROM payment WHERE payment.debt_id = debt.id AND payment.created_at >= session.used_at
              AND payment.status IN ('pending', 'completed')
        )"""


class PromiseBrokenTrigger(AfterTrigger):
    label, event = "Arrangement broken", "a promise or plan was broken"
    anchors = _arrangements("broken")


class PromiseKeptTrigger(AfterTrigger):
    label, event = "Arrangement kept", "a promise or plan was kept"
    anchors = _arrangements("kept")


class InstalmentMissedTrigger(AfterTrigger):
    label, event = "Instalment missed", "an instalment was missed"
    anchors = _arrangements("missed")
    own_hold = "arrangement"


class PaymentFailedTrigger(AfterTrigger):
    label, event = "Payment failed", "a payment failed"
    anchors = f"""
        SELECT payment.id, {local_day("payment.updated_at")} AS day, payment.updated_at AS recorded_at FROM payment
        WHERE payment.debt_id = debt.id AND payment.status = 'failed'"""


class PaymentChargedBackTrigger(AfterTrigger):
    label, event = "Payment charged back", "a payment was charged back"
    anchors = f"""
        SELECT payment.id, {local_day("payment.charged_back_at")} AS day, payment.charged_back_at AS recorded_at FROM payment
        WHERE payment.debt_id = debt.id AND payment.charged_back_at IS NOT NULL"""


class DisputeClosedTrigger(AfterTrigger):
    label, event = "Dispute closed", "a dispute was decided"
    anchors = f"""
        SELECT dispute.id, {local_day("dispute.decided_at")} AS day, dispute.decided_at AS recorded_at FROM dispute
        WHERE dispute.debt_id = debt.id AND dispute.decided_at IS NOT NULL"""
