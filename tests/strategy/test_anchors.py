"""Every trigger: the record that starts its clock, the day on which a run queues, and what starts it again or not."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from arrangements.models import Arrangement, ArrangementDebt, ArrangementEvent, Instalment
from collection.models import Debt, Dispute, Hold
from communications.models import CommunicationLog
from debtors.models import Debtor
from payments import posting
from payments.models import Payment
from portal.models import OtpSession
from strategy import rules, triggers
from strategy.models import StrategyRule, StrategyStep
from tests import factories
from tests.strategy import makers
from tests.strategy.makers import TODAY

pytestmark = pytest.mark.django_db

#: Eight in the morning, before the run of that day.
MORNING = time(8)


def at(days_ago: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days_ago), MORNING, UTC)


def message(about: Debt, **values: Any) -> CommunicationLog:
    updated_at = values.pop("updated_at", None)
    made = CommunicationLog.objects.create(
        **{"debtor": about.debtor, "debt": about, "communication_type": "email", "status": "sent"} | values
    )
    if updated_at:
        CommunicationLog.objects.filter(pk=made.pk).update(updated_at=updated_at)
    return made


def payment(debt: Debt, **values: Any) -> Payment:
    updated_at = values.pop("updated_at", None)
    made = Payment.objects.create(
        **{"debt": debt, "amount": 1, "currency_code": "GBP", "payment_date": TODAY, "status": "failed"} | values
    )
    if updated_at:
        Payment.objects.filter(pk=made.pk).update(updated_at=updated_at)
    return made


def arrangement(debt: Debt) -> Arrangement:
    made = Arrangement.objects.create(
        debtor=debt.debtor, creditor=debt.creditor, currency_code="GBP", kind="plan", status="active", total=20,
        frequency="monthly", source="agent", grace_days=0, tolerance_amount=0, tolerance_percent=0, missed_to_break=2,
        self_reinstate_days=0, clearing_days=0, interest="runs", anchored_on=TODAY, starts_on=TODAY - timedelta(days=30),
    )  # fmt: skip
    hold = Hold.objects.create(debt=debt, reason="arrangement", blocks_contact=False, starts_on=TODAY)
    ArrangementDebt.objects.create(
        arrangement=made, debt=debt, share=20, balance_at_start=20, is_active=True, hold=hold
    )
    return made


def event(debt: Debt, kind: str, days_ago: int) -> ArrangementEvent:
    agreed = arrangement(debt)
    if kind != "missed":
        Hold.objects.update(ended_at=at(days_ago))
    return ArrangementEvent.objects.create(arrangement=agreed, kind=kind, at=at(days_ago))


def hold(debt: Debt, days_ago: int) -> Hold:
    day = TODAY - timedelta(days=days_ago)
    return Hold.objects.create(
        debt=debt, reason="deferral", starts_on=day - timedelta(days=60), ends_on=day, ended_at=at(days_ago)
    )


def dispute(debt: Debt, days_ago: int) -> Dispute:
    return Dispute.objects.create(
        debt=debt, currency_code="GBP", reason="No", channel="letter", received_at=at(days_ago + 9), status="verified",
        answer="It is owed.", decided_at=at(days_ago), decided_by=factories.agent(),
    )  # fmt: skip


def due_date(debt: Debt, days_ago: int) -> None:
    Debt.objects.filter(pk=debt.pk).update(due_date=TODAY - timedelta(days=days_ago))


def sign_in(debt: Debt, days_ago: int) -> OtpSession:
    return OtpSession.objects.create(debtor=debt.debtor, address="x", expires_at=at(0), used_at=at(days_ago))


Happening = Callable[[Debt, int], Any]
AFTER: dict[str, tuple[dict[str, Any], Happening]] = {
    "DueDateTrigger": ({"days_from_due_date": 2}, due_date),
    "LastPaymentTrigger": (
        {"days_after": 2},
        lambda debt, ago: payment(debt, status="completed", payment_date=TODAY - timedelta(days=ago)),
    ),
    "LastContactTrigger": (
        {"days_after": 2, "contact_channel": "sms"},
        lambda debt, ago: message(debt, communication_type="sms", sent_at=at(ago)),
    ),
    "PauseEndTrigger": ({"days_after": 2}, hold),
    "BouncedTrigger": (
        {"days_after": 2},
        lambda debt, ago: message(debt, status="bounced", updated_at=at(ago)),
    ),
    "OpenedTrigger": ({"days_after": 2}, lambda debt, ago: message(debt, opened_at=at(ago))),
    "NotOpenedTrigger": ({"days_after": 2}, lambda debt, ago: message(debt, sent_at=at(ago))),
    "RepliedTrigger": (
        {"days_after": 2},
        lambda debt, ago: message(debt, debt=None, direction="inbound", status="received", created_at=at(ago)),
    ),
    "SignInTrigger": ({"days_after": 2}, sign_in),
    "PromiseBrokenTrigger": ({"days_after": 2}, lambda debt, ago: event(debt, "broken", ago)),
    "PromiseKeptTrigger": ({"days_after": 2}, lambda debt, ago: event(debt, "kept", ago)),
    "InstalmentMissedTrigger": ({"days_after": 2}, lambda debt, ago: event(debt, "missed", ago)),
    "PaymentFailedTrigger": ({"days_after": 2}, lambda debt, ago: payment(debt, updated_at=at(ago))),
    "PaymentChargedBackTrigger": (
        {"days_after": 2},
        lambda debt, ago: payment(debt, status="refunded", charged_back_at=at(ago)),
    ),
    "DisputeClosedTrigger": ({"days_after": 2}, dispute),
}


def rule(kind: str, **values: Any) -> StrategyRule:
    return makers.rule(trigger={"type": kind, **values}, max_lateness_days=1)


def debt_of(rule: StrategyRule) -> Debt:
    """A debt in the rule's segment, with nothing that starts the clock of any other trigger than placement."""
    return factories.debt(segment=rule.segment, due_date=None)


def queued() -> set[Any]:
    return set(StrategyStep.objects.values_list("debt_id", flat=True))


@pytest.mark.parametrize("kind", AFTER)
def test_a_rule_is_due_so_many_days_after_and_once_for_its_anchor(kind):
    values, happen = AFTER[kind]
    made = rule(kind, **values)
    early, on_time, late, too_late, never = (debt_of(made) for _ in range(5))
    for debt, ago in ((early, 1), (on_time, 2), (late, 3), (too_late, 4)):
        happen(debt, ago)

    assert makers.lines(makers.run()) == {made.name: (2, 2, {})}
    assert queued() == {on_time.pk, late.pk}
    assert set(StrategyStep.objects.values_list("occurrence", flat=True)) == {TODAY, TODAY - timedelta(days=1)}
    assert makers.run().rules[0]["queued"] == 0
    # Another number of days does not use the rule again for what started its clock.
    (name,) = (name for name in values if name.startswith("days"))
    rules.amend(made, trigger={name: 3}, now=makers.clock())
    assert makers.lines(makers.run())[made.name][1:] == (1, {"already_queued": 1})
    assert queued() == {on_time.pk, late.pk, too_late.pk}
    assert never.pk not in queued()


@pytest.mark.parametrize("kind", AFTER)
def test_another_record_starts_the_clock_again(kind):
    values, happen = AFTER[kind]
    made = rule(kind, **values)
    debt = debt_of(made)
    first = happen(debt, 3)
    makers.run()
    if isinstance(first, ArrangementEvent):
        ArrangementEvent.objects.create(arrangement=first.arrangement, kind=first.kind, at=at(2))
    else:
        happen(debt, 2)
    makers.run()
    assert StrategyStep.objects.filter(debt=debt).count() == 2
    assert StrategyStep.objects.values("anchor").distinct().count() == 2


def test_every_trigger_is_tested_and_in_words():
    assert set(AFTER) | {"TimeTrigger", "InstalmentTrigger"} == set(triggers.TRIGGERS)
    words = [triggers.explain({"type": kind, **values}) for kind, (values, _) in AFTER.items()]
    assert "2 days after the due date" in words
    assert "2 days after the last text message" in words
    assert len(set(words)) == len(words)
    assert triggers.explain({"type": "DueDateTrigger", "days_from_due_date": -1}) == "1 day before the due date"
    assert triggers.explain({"type": "InstalmentTrigger", "days_before": 0}) == "on the day of an instalment"


class TestInstalments:
    def instalments(self, debt: Debt) -> list[Instalment]:
        agreed = arrangement(debt)
        days = (TODAY + timedelta(days=2), TODAY + timedelta(days=32))
        return [
            Instalment.objects.create(arrangement=agreed, no=no, agreed_on=day, due_on=day, amount=10)
            for no, day in enumerate(days, start=1)
        ]

    def test_one_that_is_not_paid_is_announced_despite_the_arrangements_own_hold(self):
        made = rule("InstalmentTrigger", days_before=3)
        first, _ = self.instalments(debt_of(made))
        assert makers.lines(makers.run()) == {made.name: (1, 1, {})}
        assert StrategyStep.objects.get().anchor == first.pk

    def test_one_that_is_paid_is_not(self):
        made = rule("InstalmentTrigger", days_before=3)
        debt = debt_of(made)
        self.instalments(debt)
        posting.record(debt=debt, amount=Decimal(10), payment_date=TODAY, by=None, today=TODAY)
        assert makers.lines(makers.run()) == {made.name: (0, 0, {})}

    def test_another_hold_keeps_it_back(self):
        made = rule("InstalmentTrigger", days_before=3)
        debt = debt_of(made)
        self.instalments(debt)
        Hold.objects.create(debt=debt, reason="complaint", starts_on=TODAY)
        assert makers.lines(makers.run()) == {made.name: (1, 0, {"held": 1})}


def test_a_later_contact_payment_or_sign_in_takes_the_place_of_the_earlier_one():
    for kind in ("LastPaymentTrigger", "LastContactTrigger", "SignInTrigger"):
        values, happen = AFTER[kind]
        debt = debt_of(rule(kind, **values))
        happen(debt, 2)
        happen(debt, 1)
    makers.run()
    assert not StrategyStep.objects.exists()


def test_what_ends_a_clock():
    """Nothing reminds of a mail that was opened, of a sign-in that led to a payment, or by an automatic reply."""
    unopened = debt_of(rule("NotOpenedTrigger", days_after=2))
    message(unopened, sent_at=at(2), opened_at=at(1))
    paying = debt_of(rule("SignInTrigger", days_after=2))
    sign_in(paying, 2)
    payment(paying, status="pending")
    away = debt_of(rule("RepliedTrigger", days_after=2))
    message(away, direction="inbound", status="received", created_at=at(2), asks_for="automatic")
    short = debt_of(rule("PauseEndTrigger", days_after=2))
    Hold.objects.create(debt=short, reason="complaint", starts_on=date(2026, 6, 28), ended_at=at(2))
    makers.run()
    assert not StrategyStep.objects.exists()


def test_a_reply_that_names_a_debt_is_about_no_other():
    made = rule("RepliedTrigger", days_after=0)
    debt = debt_of(made)
    other = factories.debt(segment=made.segment, debtor=Debtor.objects.get(pk=debt.debtor_id))
    message(debt, direction="inbound", status="received", created_at=at(0))
    makers.run()
    assert queued() == {debt.pk}
    message(debt, debt=None, direction="inbound", status="received", created_at=at(0))
    makers.run()
    assert queued() == {debt.pk, other.pk}
