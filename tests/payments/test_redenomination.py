"""The lev after 2025: its debts are turned into euros once, and the ledger stays right."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection import debts, disputes
from collection.models import Debt, LedgerEntry
from communications.texts import facts
from communications.texts.facts import Recipient
from ddc.common.errors import DomainError, Forbidden
from payments import posting, reconciliation, redenomination
from payments.models import Payment
from tests import factories
from tests.conftest import Api

BEFORE, NOW = date(2025, 12, 1), datetime(2026, 2, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def lev(balance: str = "195.58", **values: Any) -> Debt:
    return factories.debt(
        currency_code="BGN", balance=balance, placement_date=date(2025, 11, 1), today=BEFORE, **values
    )


def pay(debt: Debt, amount: str, **fields: Any) -> Payment:
    return posting.record(debt=debt, amount=Decimal(amount), by=None, today=BEFORE, **fields)


def redenominate(**options: Any) -> redenomination.Report:
    return redenomination.redenominate("BGN", by=options.pop("by", None), now=NOW, **options)


def euros(lev: Decimal) -> Decimal:
    return (lev / Decimal("1.95583")).quantize(Decimal("0.01"), ROUND_HALF_UP)


def state() -> list[Any]:
    return [
        *Debt.objects.order_by("pk").values_list("pk", "currency_code", "original_balance", "current_balance"),
        *Payment.objects.order_by("pk").values_list("pk", "currency_code", "amount"),
        LedgerEntry.objects.count(),
    ]


def test_a_debt_partly_paid_is_owed_in_euros_and_payable_in_euros(api: Api):
    debt = lev()
    paid = pay(debt, "95.58", processor_txn_id="TXN-1")
    pending = pay(debt, "20", status="pending")
    report = redenominate()
    assert (report.debts, report.payments, report.before, report.after) == (1, 2, 100, Decimal("51.13"))
    debt.refresh_from_db()
    assert (debt.currency_code, debt.original_balance, debt.current_balance, debt.current_status) == (
        "EUR", 100, Decimal("51.13"), "active",
    )  # fmt: skip
    paid.refresh_from_db()
    assert (paid.amount, paid.currency_code, paid.processor_txn_id) == (Decimal("48.87"), "EUR", "TXN-1")
    assert list(reconciliation.differences()) == []
    assert api.put(f"/payments/{pending.pk}", {"status": "completed"}).status_code == 200
    body = {"debtId": str(debt.pk), "amount": "40.90", "currencyCode": "EUR"}
    assert api.post("/payments", body).status_code == 201
    debt.refresh_from_db()
    assert (debt.current_balance, debt.current_status) == (0, "paid")
    ledger = api.get(f"/debts/{debt.pk}/ledger").json()["data"]
    assert sum(Decimal(entry["amount"]) for entry in ledger if entry["currencyCode"] == "BGN") == 0
    assert {"type": "redenomination", "previousCurrency": "BGN", "rate": "1.95583"} in [
        entry["cause"] for entry in ledger
    ]
    assert list(reconciliation.differences()) == []


def test_a_second_run_adds_nothing_and_a_dry_run_writes_nothing():
    pay(lev(), "5")
    factories.debt(currency_code="GBP")
    before = state()
    assert redenominate(dry_run=True).debts == 1
    assert state() == before
    assert redenominate().debts == 1
    after = state()
    assert redenominate().debts == 0
    assert state() == after


@pytest.mark.parametrize("status", ["paid", "settled", "written_off", "recalled", "payment_plan"])
def test_every_status_stays_and_can_be_undone_in_euros(status: str):
    debt = lev("100")
    payment = pay(debt, "100" if status == "paid" else "30")
    if status != "paid":
        debts.amend(debt, by=None, today=BEFORE, current_status=status)
    redenominate()
    debt.refresh_from_db()
    assert (debt.current_status, debt.currency_code) == (status, "EUR")
    assert list(reconciliation.differences()) == []
    if status in ("settled", "written_off", "recalled"):
        debt = debts.amend(debt, by=None, today=NOW.date(), current_status="active")
        assert debt.current_balance == euros(Decimal(70))
    payment.refresh_from_db()
    posting.void(payment, by=None, today=NOW.date())
    debt.refresh_from_db()
    assert abs(debt.current_balance - euros(Decimal(100))) <= Decimal("0.01")
    assert list(reconciliation.differences()) == []


@pytest.mark.parametrize("portion", [None, Decimal("40.00")])
def test_a_disputed_amount_is_converted_with_its_debt(portion: Decimal | None):
    debt = lev("100")
    dispute = factories.dispute(debt=debt, portion=portion)
    redenominate()
    debt.refresh_from_db()
    dispute.refresh_from_db()
    assert (dispute.currency_code, dispute.portion) == ("EUR", portion and euros(portion))
    assert debt.disputed_amount == (euros(portion) if portion else debt.current_balance)
    assert list(reconciliation.differences()) == []
    disputes.withdraw(dispute, answer="Sorry.", by=factories.agent(), now=NOW)
    assert list(reconciliation.differences()) == []


def test_messages_are_in_euros():
    debt = lev()
    pay(debt, "95.58")
    redenominate()
    debt.refresh_from_db()
    (values,) = facts.gather([Recipient(debt.debtor, debt, "en")], now=NOW)
    assert (values["debt_amount"], values["total_outstanding"], values["last_payment_amount"]) == (
        "€51.13",
        "€51.13",
        "€48.87",
    )


def test_only_a_currency_that_has_ended_is_redenominated_and_by_a_supervisor():
    lev()
    before = state()
    with pytest.raises(redenomination.NotEnded):
        redenomination.redenominate("GBP", by=None, now=NOW)
    with pytest.raises(redenomination.NotEnded):
        redenomination.redenominate("BGN", by=None, now=datetime(2025, 12, 31, 12, tzinfo=UTC))
    with pytest.raises(Forbidden):
        redenominate(by=factories.agent("Agent"))
    assert state() == before


def test_the_command_names_who_answers_for_it_and_segments(capsys: pytest.CaptureFixture[str]):
    lev()
    factories.segment(name="Levs", currency_code="BGN", min_balance=Decimal(1))
    boss = factories.agent("Supervisor")
    call_command("redenominate", "bgn", by=boss.username, dry_run=True)
    assert "1 debts and 0 payments; open: 195.58 BGN = 100.00 EUR, at 1.95583. Dry run" in capsys.readouterr().out
    call_command("redenominate", "BGN", by=boss.username)
    assert "to change by hand: Levs." in capsys.readouterr().out
    assert set(LedgerEntry.objects.filter(currency_code="EUR").values_list("by", flat=True)) == {boss.pk}
    for wrong in ({"by": "nobody"}, {"by": factories.agent("Agent").username}):
        with pytest.raises(CommandError):
            call_command("redenominate", "BGN", **wrong)


STEPS = st.lists(
    st.tuples(st.sampled_from(["pay", "adjust", "void", "settled", "active", "dispute"]), st.integers(1, 20_000)),
    max_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 20_000), STEPS)
def test_whatever_happened_before_the_balance_is_the_old_one_converted(original: int, steps: list[tuple[str, int]]):
    with transaction.atomic():
        debt = lev(str(Decimal(original).scaleb(-2)))
        for step, cents in steps:
            amount = Decimal(cents).scaleb(-2)
            try:
                with transaction.atomic():
                    if step == "pay":
                        pay(debt, str(amount))
                    elif step == "adjust":
                        debts.amend(debt, by=None, today=BEFORE, current_balance=amount)
                    elif step == "void":
                        posting.void(Payment.objects.earliest("created_at"), by=None, today=BEFORE)
                    elif step == "dispute":
                        factories.dispute(debt=debt, portion=amount)
                    else:
                        debts.amend(debt, by=None, today=BEFORE, current_status=step)
            except (DomainError, Payment.DoesNotExist):
                continue
        debt.refresh_from_db()
        before = debt.current_balance
        redenominate()
        debt.refresh_from_db()
        assert (debt.currency_code, debt.current_balance) == ("EUR", euros(before))
        assert list(reconciliation.differences()) == []
        transaction.set_rollback(True)
