"""Do random money operations from several threads: ``python -m tests.deep.money_worker SEED OPERATIONS THREADS``.

Prints one line per finished operation, so that a test sees its progress and can kill it.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import django

django.setup()

from agents.models import Agent  # noqa: E402
from collection import charges, debts, deferrals, disputes  # noqa: E402
from collection.holds import expiry  # noqa: E402
from collection.models import Debt, DebtStatus, DeferralRequest, Dispute  # noqa: E402
from payments import posting, returns  # noqa: E402
from payments.models import Payment, PaymentStatus  # noqa: E402
from tests.deep import random_operations  # noqa: E402

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = NOW.date()


def amount(rng: random.Random) -> Decimal:
    return Decimal(rng.randrange(1, 20_000)).scaleb(-2)


def any_debt(rng: random.Random) -> Debt:
    return rng.choice(list(Debt.objects.all()))


def any_payment(rng: random.Random) -> Payment:
    payments = list(Payment.objects.all()[:200])
    return rng.choice(payments) if payments else record(rng)


def record(rng: random.Random) -> Payment:
    status = rng.choices(PaymentStatus.values, [1, 6, 1, 1])[0]
    first = rng.choice([[], [], ["costs"], ["principal", "fees"]])
    return posting.record(debt=any_debt(rng), amount=amount(rng), status=status, allocation=first, by=None, today=TODAY)


def amend_payment(rng: random.Random) -> None:
    change = rng.choice(
        [{"amount": amount(rng)}, {"status": rng.choice(PaymentStatus.values)}, {"debt": any_debt(rng)}]
    )
    posting.amend(any_payment(rng), by=None, today=TODAY, **change)


def void(rng: random.Random) -> None:
    posting.void(any_payment(rng), by=None, today=TODAY)


def adjust(rng: random.Random) -> None:
    debts.amend(any_debt(rng), by=None, today=TODAY, current_balance=10 * amount(rng))


def change_state(rng: random.Random) -> None:
    # Mostly back to active, else soon every debt is closed and every operation refused.
    status = rng.choice([*DebtStatus.values, *["active"] * 8])
    debts.amend(any_debt(rng), by=None, today=TODAY, current_status=status)


def place_anew(rng: random.Random) -> None:
    change = rng.choice([{"original_balance": amount(rng)}, {"currency_code": rng.choice(["GBP", "EUR"])}])
    debts.amend(any_debt(rng), by=None, today=TODAY, **change)


def dispute(rng: random.Random) -> None:
    portion = rng.choice([None, amount(rng)])
    disputes.receive(any_debt(rng), channel="phone", reason="Not mine.", portion=portion, by=None, now=NOW)


def decide(rng: random.Random) -> None:
    for one in Dispute.objects.filter(status__in=Dispute.OPEN).order_by("?")[:1]:
        disputes.withdraw(one, answer="Sorry.", by=rng.choice(list(Agent.objects.all())), now=NOW)


def defer(rng: random.Random) -> None:
    debt, by = any_debt(rng), rng.choice(list(Agent.objects.all()))
    asked = deferrals.request(debt, debtor=debt.debtor, days=rng.randint(1, 9), reason="I lost my job.", now=NOW)
    deferrals.approve(asked, by=by, notes=None, now=NOW)


def end_deferral(rng: random.Random) -> None:
    if rng.random() < 0.3:
        expiry.expire(now=NOW + timedelta(days=rng.randint(1, 9)))
    for one in DeferralRequest.objects.filter(status="approved", hold__ended_at=None).order_by("?")[:1]:
        deferrals.end(one, by=rng.choice(list(Agent.objects.all())), why="x", now=NOW)


def charge(rng: random.Random) -> None:
    component = rng.choice(["costs", "fees"])
    day = TODAY - timedelta(days=rng.randint(0, 20))
    debt = any_debt(rng)
    charges.charge(debt, component=component, amount=amount(rng), value_date=day, reason="x", by=None, today=TODAY)


def waive(rng: random.Random) -> None:
    parts = {rng.choice(["principal", "costs", "fees"]): amount(rng)}
    charges.waive(any_debt(rng), parts, reason="x", by=None, today=TODAY)


def write_off(rng: random.Random) -> None:
    reason = rng.choice(list(charges.Reason))
    charges.write_off(any_debt(rng), amount=rng.choice([None, amount(rng)]), reason=reason, by=None, today=TODAY)


def undo(rng: random.Random) -> None:
    debt = any_debt(rng)
    for entry in debt.ledger_entries.filter(kind__in=["cost", "fee", "waiver", "write_off"]).order_by("?")[:1]:
        charges.undo(debt, entry.pk, by=None, today=TODAY)


def pay_back_dated(rng: random.Random) -> None:
    day = TODAY - timedelta(days=rng.randint(0, 20))
    posting.record(debt=any_debt(rng), amount=amount(rng), payment_date=day, by=None, today=TODAY)


def give_back(rng: random.Random) -> None:
    part = rng.choice([None, amount(rng)])
    if rng.random() < 0.5:
        returns.charge_back(any_payment(rng), amount=part, by=None, now=NOW, today=TODAY)
    else:
        returns.refund(any_payment(rng), amount=part, by=None, today=TODAY)


OPERATIONS: list[Callable[[random.Random], object]] = [
    record, amend_payment, void, adjust, change_state, place_anew, dispute, decide, defer, end_deferral,
    charge, waive, write_off, undo, pay_back_dated, give_back,
]  # fmt: skip
WEIGHTS = [8, 6, 3, 3, 4, 1, 1, 2, 1, 2, 3, 1, 1, 2, 4, 4]


if __name__ == "__main__":
    random_operations.work(OPERATIONS, WEIGHTS)
