"""Receiving a dispute suspends collection of its portion until the decision."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from collection import debts, deferrals, disputes
from collection.balances import totals
from collection.holds import amendments, expiry, holds
from collection.models import Debt, Dispute, Hold, LedgerEntry
from communications.models import CommunicationLog
from communications.texts import facts
from ddc.common.errors import Forbidden
from ddc.common.money import BadAmount
from payments import posting
from tests import factories

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
ALL_OF_IT = {"current_status": "disputed", "disputed_amount": 1000, "undisputed": 0, "held": 1}
FREE = {"current_status": "active", "disputed_amount": 0, "undisputed": 1000, "held": 0}

pytestmark = pytest.mark.django_db


def receive(debt=None, **values):
    return factories.dispute(debt=debt or factories.debt(), **{"now": NOW} | values)


def awaiting(debt=None, **values):
    return disputes.ask_creditor(receive(debt, **values), by=factories.agent(), now=NOW)


def decide(dispute, how, **values):
    rule = getattr(disputes, how)
    return rule(dispute, **{"answer": "The contract of May.", "by": factories.agent(), "now": NOW} | values)


def state(debt):
    debt = Debt.objects.get(pk=debt.pk)
    held = Hold.objects.not_ended().filter(debt=debt, reason="dispute").count()
    return {
        "current_status": debt.current_status, "disputed_amount": debt.disputed_amount,
        "undisputed": debt.undisputed, "held": held,
    }  # fmt: skip


class TestReceived:
    @pytest.mark.parametrize("portion", [None, Decimal(1000), Decimal("1000.00")])
    def test_the_whole_debt_is_disputed_and_on_hold_at_once(self, portion):
        debt = factories.debt()
        dispute = receive(debt, portion=portion)
        assert (dispute.status, dispute.portion, dispute.currency_code) == ("received", None, "GBP")
        assert state(debt) == ALL_OF_IT
        hold = Hold.objects.get()
        assert (hold.dispute, hold.blocks_contact, hold.blocks_payment_requests) == (dispute, True, True)
        assert (hold.source, hold.events.get().kind) == ("Dispute, by letter", "opened")

    def test_the_undisputed_rest_may_be_requested(self):
        debt = factories.debt()
        dispute = receive(debt, portion=Decimal("300.50"))
        assert dispute.portion == Decimal("300.50")
        assert state(debt) == {
            "current_status": "active", "disputed_amount": Decimal("300.50"), "undisputed": Decimal("699.50"), "held": 0,
        }  # fmt: skip
        debt.refresh_from_db()
        (values,) = facts.gather([facts.Recipient(debt.debtor, debt, "en")], now=NOW)
        assert (values["debt_amount"], values["total_outstanding"]) == ("£699.50", "£699.50")
        assert totals.outstanding([debt.debtor_id], today=TODAY)[debt.debtor_id].amount == 1000
        assert not debt.is_fully_disputed

    def test_payments_pay_the_undisputed_rest_first(self):
        debt = factories.debt()
        receive(debt, portion=Decimal(300))
        posting.record(debt=debt, amount=Decimal(650), by=None, today=TODAY)
        assert state(debt)["undisputed"] == 50
        posting.record(debt=debt, amount=Decimal(150), by=None, today=TODAY)
        assert state(debt)["undisputed"] == 0
        debt.refresh_from_db()
        assert debt.is_fully_disputed

    def test_a_debt_has_one_open_dispute(self):
        debt = factories.debt()
        first = receive(debt, portion=Decimal(1))
        with pytest.raises(disputes.AlreadyDisputed):
            receive(debt)
        assert (Dispute.objects.count(), state(debt)["disputed_amount"]) == (1, 1)
        decide(first, "withdraw")
        receive(debt)
        assert state(debt) == ALL_OF_IT

    @pytest.mark.parametrize(
        ("values", "refusal"),
        [
            ({"portion": Decimal("1000.01")}, disputes.PortionExceedsBalance),
            ({"portion": Decimal("0.001")}, BadAmount),
            ({"received_at": NOW + timedelta(seconds=1)}, disputes.ReceivedInFuture),
        ],
    )
    def test_wrong_input_is_refused(self, values, refusal):
        debt = factories.debt()
        with pytest.raises(refusal):
            receive(debt, **values)
        assert (state(debt), Dispute.objects.count()) == (FREE, 0)

    @pytest.mark.parametrize("status", ["settled", "written_off", "recalled"])
    def test_a_closed_debt_can_not_be_disputed(self, status):
        debt = debts.amend(factories.debt(), by=None, today=TODAY, current_status=status)
        with pytest.raises(disputes.DebtNotOpen):
            receive(debt)
        assert not Dispute.objects.exists()

    def test_a_debtor_disputes_only_their_own_debts(self):
        with pytest.raises(deferrals.DebtOfAnotherDebtor):
            receive(debtor=factories.debtor())
        assert not Dispute.objects.exists()

    def test_an_auditor_may_not_enter_a_dispute(self):
        with pytest.raises(Forbidden):
            receive(by=factories.agent("Auditor"))
        assert not Dispute.objects.exists()

    def test_a_queued_message_is_blocked(self):
        from tests.communications.conftest import NOON
        from tests.communications.messages import drain, queue

        log = queue()
        receive(log.debt, now=NOON)
        assert drain().statuses == {"blocked": 1}


class TestDecided:
    @pytest.mark.parametrize("how", ["verify", "withdraw"])
    @pytest.mark.parametrize("portion", [None, Decimal(300)])
    def test_verified_and_withdrawn_resume_collection(self, how, portion):
        debt, boss = factories.debt(), factories.agent()
        dispute = decide(awaiting(debt, portion=portion), how, by=boss)
        assert state(debt) == FREE
        assert (dispute.decided_by, dispute.decided_at, dispute.answer) == (boss, NOW, "The contract of May.")
        assert not dispute.is_open

    def test_adjusted_posts_the_difference(self):
        debt = factories.debt()
        dispute = decide(awaiting(debt, portion=Decimal(300)), "adjust", balance=Decimal("720.10"))
        assert state(debt) == FREE | {"undisputed": Decimal("720.10")}
        entry = LedgerEntry.objects.get(debt=debt, kind="adjustment")
        assert (entry.amount, entry.cause) == (Decimal("-279.90"), {"type": "dispute", "disputeId": str(dispute.pk)})

    def test_a_debt_adjusted_to_0_is_paid_and_its_dispute_stays_decided(self):
        debt = factories.debt()
        decide(awaiting(debt), "adjust", balance=Decimal(0))
        assert state(debt)["current_status"] == "paid"
        debts.amend(debt, by=None, today=TODAY, current_balance=Decimal(5))
        assert state(debt)["current_status"] == "active"

    def test_recalled_closes_the_debt_and_keeps_its_balance(self):
        debt = factories.debt()
        decide(awaiting(debt), "recall")
        assert state(debt) == FREE | {"current_status": "recalled"}

    @pytest.mark.parametrize("balance", [Decimal(1000), Decimal(1001), Decimal("0.001")])
    def test_a_dispute_never_increases_a_debt(self, balance):
        debt = factories.debt()
        dispute = awaiting(debt)
        with pytest.raises((disputes.BalanceNotLower, BadAmount)):
            decide(dispute, "adjust", balance=balance)
        dispute.refresh_from_db()
        assert (dispute.status, state(debt)) == ("awaiting_creditor", ALL_OF_IT)

    @pytest.mark.parametrize("how", ["verify", "adjust", "recall"])
    def test_the_creditor_is_asked_before_a_decision(self, how):
        dispute = receive()
        with pytest.raises(disputes.InvalidTransition):
            decide(dispute, how, **({"balance": Decimal(1)} if how == "adjust" else {}))
        assert state(dispute.debt) == ALL_OF_IT

    def test_a_debtor_may_withdraw_at_once(self):
        assert decide(receive(), "withdraw").status == "withdrawn"

    def test_a_dispute_is_decided_once(self):
        dispute = decide(awaiting(), "verify")
        for how in ("withdraw", "recall", "verify"):
            with pytest.raises(disputes.InvalidTransition):
                decide(dispute, how)
        with pytest.raises(disputes.InvalidTransition):
            disputes.ask_creditor(dispute, by=factories.agent(), now=NOW)
        assert state(dispute.debt) == FREE

    def test_the_debtor_is_informed_of_the_decision(self):
        dispute = awaiting()
        with pytest.raises(disputes.AnswerRequired):
            decide(dispute, "verify", answer=" ")
        decide(dispute, "verify")
        log = CommunicationLog.objects.get()
        assert (log.purpose, log.status, log.debt) == ("answer", "queued", dispute.debt)
        assert "have shown that it is owed" in log.body

    @pytest.mark.parametrize("how", ["verify", "withdraw", "adjust", "recall"])
    def test_an_agent_may_not_decide_a_dispute(self, how):
        dispute = awaiting()
        with pytest.raises(Forbidden):
            decide(dispute, how, by=factories.agent("Agent"), **({"balance": Decimal(1)} if how == "adjust" else {}))
        assert state(dispute.debt) == ALL_OF_IT


class TestOtherRecords:
    def test_its_hold_ends_only_with_the_dispute(self):
        receive()
        with pytest.raises(holds.ReasonNotManual):
            amendments.end(Hold.objects.get(), why="I like.", by=factories.agent(), now=NOW)
        assert Hold.objects.not_ended().count() == 1

    def test_other_holds_stay(self):
        dispute = awaiting()
        other = holds.open_hold(reason="cease", debt=dispute.debt, source="x", by=None, now=NOW)
        decide(dispute, "verify")
        assert list(Hold.objects.not_ended()) == [other]

    @pytest.mark.parametrize(("days", "after"), [(30, "deferred"), (1, "active")])
    def test_a_deferred_debt_is_deferred_again_unless_its_deferral_has_ended(self, days, after):
        debt = factories.debt()
        asked = deferrals.request(debt, debtor=debt.debtor, days=days, reason="I lost my job.", now=NOW)
        deferrals.approve(asked, by=factories.agent(), notes=None, now=NOW)
        dispute = awaiting(debt)
        assert state(debt)["current_status"] == "disputed"
        expiry.expire(now=NOW + timedelta(days=2))
        decide(dispute, "verify", now=NOW + timedelta(days=2))
        assert state(debt)["current_status"] == after

    def test_a_debt_paid_while_disputed_returns_to_its_earlier_status(self):
        debt = factories.debt(current_status="payment_plan")
        dispute = awaiting(debt)
        payment = posting.record(debt=debt, amount=Decimal(1000), by=None, today=TODAY)
        decide(dispute, "withdraw")
        assert state(debt)["current_status"] == "paid"
        posting.void(payment, by=factories.agent(), today=TODAY)
        assert state(debt) == FREE | {"current_status": "payment_plan"}

    def test_a_debt_closed_in_between_is_not_adjusted(self):
        debt = factories.debt()
        dispute = awaiting(debt)
        debts.amend(debt, by=None, today=TODAY, current_status="settled")
        with pytest.raises(disputes.DebtNotOpen):
            decide(dispute, "adjust", balance=Decimal(0))
        decide(Dispute.objects.get(), "withdraw")
        assert state(debt)["current_status"] == "settled"

    def test_a_disputed_debt_is_not_deleted(self):
        dispute = receive(portion=Decimal(1))
        with pytest.raises(debts.DebtInUse):
            debts.delete(dispute.debt, by=None, today=TODAY)
