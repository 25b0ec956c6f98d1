"""Payments at a provider: of its events, twice and in any order, there is one end state, and the books are right."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from collection import states
from collection.models import Debt
from ddc.common import event_inbox
from payments import credits, intents, payable, posting, provider_events, provider_returns, returns
from payments.models import (
    Credit,
    Payment,
    PaymentIntent,
    ProviderEvent,
    ProviderPayout,
    ProviderReturn,
    Receipt,
)
from payments.payouts import health, with_booked
from payments.providers.base import ProviderDown
from tests import factories
from tests.payments.receipts.makers import balance, no_difference, reason
from tests.standins.stripe import StripeStandIn, event, signature

pytestmark = pytest.mark.django_db


@pytest.fixture
def debt() -> Debt:
    return factories.debt(balance=100, currency_code="EUR", external_reference="INV-1")


def pay(debt: Debt, amount: Any = 100, key: str = "k", **more: Any) -> PaymentIntent:
    return intents.create(debt.debtor, [debt.pk], amount=Decimal(amount), key=key, **{"now": now(), **more})


def arrive(*events: dict[str, Any]) -> None:
    """Store events as the webhook does, in this order, and let a worker handle them."""
    for each in events:
        provider_events.store("stripe", each["id"], each, now=now())
        provider_events.handle(clock=now)


def post(client, each: dict[str, Any], **headers: str) -> int:
    body = json.dumps(each).encode()
    headers = headers or {"Stripe-Signature": signature(body)}
    return client.post("/providers/stripe/events", body, "application/json", headers=headers).status_code


def state(intent: PaymentIntent) -> str:
    intent.refresh_from_db()
    return intent.status


def test_a_payment_is_booked_once_however_often_its_event_comes(client, stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    assert (intent.status, intent.url) == ("redirected", stripe.sessions[str(intent.provider_id)]["url"])
    completed, succeeded = stripe.pay(intent.provider_id)
    assert [post(client, each) for each in (completed, completed, succeeded)] == [200] * 3
    assert ProviderEvent.objects.count() == 2
    assert (state(intent), balance(debt)) == ("redirected", 100), "the answer does not wait for the booking"
    provider_events.handle(clock=now)
    assert (state(intent), balance(debt), Receipt.objects.count()) == ("captured", 0, 1)
    payment = Payment.objects.get()
    assert (payment.amount, payment.payment_method, payment.status) == (100, "card", "completed")
    assert (intent.receipt.provider, intent.receipt.provider_id) == ("stripe", intent.payment_id)
    assert no_difference()


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.deep)], ids=["some", "all"])
def test_every_order_of_five_events_ends_alike(stripe: StripeStandIn, debt: Debt, step: int):
    intent = pay(debt)
    completed, succeeded = stripe.pay(intent.provider_id)
    five = [
        stripe.failure(intent.provider_id),
        completed,
        succeeded,
        stripe.refund(intent.provider_id, 40_00),
        stripe.dispute(intent.provider_id, 60_00),
    ]
    ends = set()
    for order in list(itertools.permutations(five))[::step]:
        with transaction.atomic():
            arrive(*order)
            returned = sorted(ProviderReturn.objects.values_list("kind", "amount"))
            ends.add((state(intent), balance(debt), Payment.objects.get().refunded_amount, *returned))
            waits = ProviderEvent.objects.filter(processed_at=None).count()
            assert (Receipt.objects.count(), waits) == (1, 0), [each["type"] for each in order]
            assert order[0] != five[4] or no_difference(), "where the charge-back comes first"
            transaction.set_rollback(True)
    assert len(ends) == 1
    assert next(iter(ends))[:3] == ("disputed", Decimal(100), Decimal(100))


def test_forged_and_old_events_are_refused_and_not_stored(client, stripe: StripeStandIn, debt: Debt, settings):
    intent = pay(debt)
    completed, _ = stripe.pay(intent.provider_id)
    body = json.dumps(completed).encode()
    old = int(now().timestamp()) - 3_600
    assert post(client, completed, **{"Stripe-Signature": signature(body, secret="whsec_of_somebody_else")}) == 403
    assert post(client, completed, **{"Stripe-Signature": signature(body, at=old)}) == 403
    assert post(client, completed, **{"Stripe-Signature": signature(body + b" ")}) == 403
    assert post(client, completed, **{"X-None": "1"}) == 403
    assert client.post("/providers/paypal/events", body, "application/json").status_code == 404
    settings.PAYMENT_PROVIDER = ""
    assert post(client, completed) == 403
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    ("came", "left", "credit"), [(130_00, 0, 30), (70_00, 30, None)], ids=["more than was asked for", "less"]
)
def test_what_came_is_booked_and_too_much_becomes_credit(stripe: StripeStandIn, debt: Debt, came, left, credit):
    intent = pay(debt)
    arrive(*stripe.pay(intent.provider_id, amount=came))
    assert (state(intent), balance(debt)) == ("captured", left)
    found = Credit.objects.first()
    assert (found and found.entries.get().amount) == credit
    assert no_difference()


def test_another_currency_and_an_unknown_payment_wait_in_suspense(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    arrive(*stripe.pay(intent.provider_id, currency="usd"))
    assert (state(intent), balance(debt), reason(intent.receipt)) == ("captured", 100, "other_currency")
    unknown = {"id": "pi_1", "amount_received": 5_00, "currency": "eur", "metadata": {}, "description": "Table 4"}
    arrive(event("payment_intent.succeeded", unknown))
    receipt = Receipt.objects.get(provider_id="pi_1")
    assert (receipt.amount, receipt.reference, reason(receipt)) == (5, "Table 4", "unknown")
    arrive(
        event(
            "charge.dispute.created",
            {"id": "dp_1", "payment_intent": "pi_1", "amount": 5_00, "currency": "eur", "status": "lost"},
        )
    )
    assert reason(receipt) is None
    assert no_difference()


def test_a_debt_that_was_paid_elsewhere_meanwhile_leaves_credit(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    posting.record(debt=debt, amount=Decimal(100), by=None, today=now().date())
    arrive(*stripe.pay(intent.provider_id))
    assert (state(intent), balance(debt)) == ("captured", 0)
    assert Credit.objects.get().entries.get().amount == 100
    # The payer gets it back through the card scheme: the credit is taken back, and nobody owes anything.
    arrive(
        stripe.dispute(intent.provider_id, 100_00), stripe.dispute(intent.provider_id, 100_00, kind="funds_withdrawn")
    )
    assert (state(intent), balance(debt)) == ("disputed", 0)
    assert sum(entry.amount for entry in Credit.objects.get().entries.all()) == 0
    assert reason(intent.receipt) is None
    assert no_difference()


def test_a_charge_back_opens_a_settled_debt_again(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt, 60)
    arrive(*stripe.pay(intent.provider_id))
    debt.refresh_from_db()
    states.change(debt, "settled", by=None, today=now().date())
    assert balance(debt) == 0
    arrive(stripe.dispute(intent.provider_id, 60_00))
    assert (state(intent), balance(debt), debt.current_status) == ("disputed", 100, "active")
    assert Payment.objects.get().charged_back_at is not None
    assert no_difference()


def test_a_charge_back_of_credit_that_is_used_already_waits_for_a_person(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    arrive(*stripe.pay(intent.provider_id, amount=130_00))
    other = factories.debt(debtor=debt.debtor, balance=50, currency_code="EUR")
    credits.apply(Credit.objects.get(), debt=other, amount=Decimal(30), by=None, today=now().date(), now=now())
    arrive(stripe.dispute(intent.provider_id, 130_00))
    assert (balance(debt), balance(other)) == (100, 20)
    due = Receipt.objects.get(source="chargeback")
    assert (due.amount, reason(due)) == (-30, "charged_back")
    assert no_difference()


def test_an_inquiry_takes_nothing_and_a_charge_back_booked_by_hand_is_not_booked_twice(
    stripe: StripeStandIn, debt: Debt
):
    intent = pay(debt)
    arrive(*stripe.pay(intent.provider_id), stripe.dispute(intent.provider_id, 100_00, status="warning_needs_response"))
    assert (state(intent), balance(debt)) == ("captured", 0)
    returns.charge_back(Payment.objects.get(), by=None, now=now(), today=now().date())
    arrive(stripe.dispute(intent.provider_id, 100_00))
    assert (state(intent), balance(debt)) == ("disputed", 100)
    assert no_difference()


def test_the_same_sum_is_blocked_for_ten_minutes_while_it_is_pending(stripe: StripeStandIn, debt: Debt):
    first = pay(debt, key="a")
    assert pay(debt, key="a") == first, "the same request"
    with pytest.raises(intents.UnderWay) as refused:
        pay(debt, key="b")
    assert refused.value.intent == first
    assert pay(debt, 50, key="c").status == "redirected", "another sum"
    later = now() + timedelta(minutes=10)
    assert pay(debt, key="d", now=later).pk != first.pk
    assert len(stripe.sessions) == 3
    # An end frees the sum at once.
    second = pay(debt, 70, key="e")
    arrive(stripe.failure(second.provider_id))
    assert state(second) == "failed"
    assert second.failure == "Your card was declined."
    third = pay(debt, 70, key="f")
    arrive(event("checkout.session.expired", stripe.sessions[str(third.provider_id)]))
    assert state(third) == "expired"
    # Another card worked after all: money that comes is booked.
    arrive(*stripe.pay(second.provider_id))
    assert (state(second), balance(debt)) == ("captured", 30)


def test_a_provider_that_is_down_takes_nothing_and_the_same_request_goes_on(stripe: StripeStandIn, debt: Debt):
    stripe.down = True
    with pytest.raises(ProviderDown):
        pay(debt)
    stripe.down = False
    assert (pay(debt).status, PaymentIntent.objects.count()) == ("redirected", 1)


def test_what_may_be_paid(stripe: StripeStandIn, debt: Debt):
    for amount in ("0.99", "100.01"):
        with pytest.raises(payable.NotPayable) as refused:
            pay(debt, amount)
        assert refused.value.message == "Enter an amount from 1.00 to 100.00 EUR."
    other = factories.debt(debtor=debt.debtor, balance=50, currency_code="EUR", original_creditor="Other Bank")
    factories.dispute(debt=other, portion=Decimal(20))
    stranger = factories.debt(currency_code="EUR")
    with pytest.raises(payable.NoSuchDebt):
        intents.create(debt.debtor, [debt.pk, stranger.pk], amount=Decimal(1), key="x", now=now())
    both = intents.create(debt.debtor, [debt.pk, other.pk], amount=Decimal(130), key="y", now=now())
    shown = both.disclosure
    assert [one["creditor"] for one in shown["debts"]] == ["ABC Credit Corp", "Other Bank"]
    assert shown["debts"][0]["reference"] == "INV-1"
    assert shown["contact"]["name"]
    assert both.disclosure_version
    arrive(*stripe.pay(both.provider_id))
    assert (balance(debt), balance(other)) == (0, 20)
    assert no_difference()


def test_the_payoff_is_that_of_the_debtors_day(stripe: StripeStandIn):
    there = factories.debtor(country_code="NZ", mobile_phone="+6421555000")
    debt = factories.debt(debtor=there, balance=100, currency_code="EUR")
    evening = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)  # Half past one on 2 February in New Zealand.
    intent = pay(debt, now=evening)
    session = stripe.pay(intent.provider_id)[0] | {"created": int(evening.timestamp())}
    provider_events.store("stripe", session["id"], session, now=evening)
    provider_events.handle(clock=lambda: evening)
    assert str(Payment.objects.get().payment_date) == "2026-02-02"


def test_a_lost_event_is_made_up_for_by_asking_the_provider(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    stripe.pay(intent.provider_id)
    assert provider_events.ask(now=now()) == 0
    assert provider_events.ask(now=now() + timedelta(minutes=16)) == 1
    assert (state(intent), balance(debt)) == ("captured", 0)


def test_an_approved_refund_is_paid_out_once_and_its_event_books_nothing_more(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    arrive(*stripe.pay(intent.provider_id, amount=130_00))
    refund = credits.propose_refund(
        Credit.objects.get(), amount=Decimal(30), reason="Paid too much", by=factories.agent(), now=now()
    )
    assert provider_returns.send_refunds(now=now()) == 0, "nobody has approved it"
    credits.approve(refund, by=factories.agent(), now=now())
    stripe.down = True
    assert provider_returns.send_refunds(now=now()) == 0
    stripe.down = False
    assert [provider_returns.send_refunds(now=now()) for _ in range(2)] == [1, 0]
    state(intent)
    assert [(one["amount"], one["payment_intent"]) for one in stripe.refunds] == [(3000, intent.receipt.provider_id)]
    arrive(stripe.refund(intent.provider_id, 30_00))
    assert (state(intent), balance(debt)) == ("captured", 0)
    assert no_difference()
    # A part of the payment goes back by two people, too, and the rest on the provider's own pages.
    second = returns.propose_refund(Payment.objects.get(), by=factories.agent(), now=now(), amount=Decimal(20))
    credits.approve(second, by=factories.agent(), now=now())
    assert (provider_returns.send_refunds(now=now()), stripe.refunds[-1]["amount"]) == (1, 2000)
    arrive(stripe.refund(intent.provider_id, 50_00))
    assert balance(debt) == 20
    arrive(stripe.refund(intent.provider_id, 130_00))
    assert (state(intent), balance(debt)) == ("refunded", 100)
    assert no_difference()


def test_health_and_payouts(stripe: StripeStandIn, debt: Debt):
    intent = pay(debt)
    completed, succeeded = stripe.pay(intent.provider_id)
    provider_events.store("stripe", completed["id"], completed, now=now())
    (found,) = health()
    assert (found.provider, found.unhandled, found.failed, found.oldest_unhandled) == ("stripe", 1, 0, found.last_event)
    stripe.payouts["po_1"] = {
        "id": "po_1", "object": "payout", "amount": 97_00, "currency": "eur", "arrival_date": int(now().timestamp()),
    }  # fmt: skip
    source = {"id": "ch_1", "object": "charge", "payment_intent": succeeded["data"]["object"]["id"]}
    stripe.transactions += [
        {
            "id": "txn_1",
            "object": "balance_transaction",
            "type": "charge",
            "amount": 100_00,
            "fee": 3_00,
            "source": source,
        },
        {"id": "txn_2", "object": "balance_transaction", "type": "payout", "amount": -97_00, "fee": 0, "source": None},
    ]
    paid_out = event("payout.paid", stripe.payouts["po_1"])
    provider_events.store("stripe", paid_out["id"], paid_out, now=now())
    provider_events.handle(clock=now)
    payout: Any = with_booked(ProviderPayout.objects.all()).get()
    assert (payout.amount, payout.paid, payout.fees, payout.returned, payout.booked) == (97, 100, 3, 0, 100)
    assert health()[0].unhandled == 0


def test_an_event_that_cannot_be_handled_is_tried_later_and_left_to_a_person(stripe: StripeStandIn):
    broken = event("payment_intent.succeeded", {"id": "pi_9"})
    arrive(broken)
    row = ProviderEvent.objects.get()
    assert (row.processed_at, row.attempts) == (None, 1)
    clock = now()
    while not ProviderEvent.objects.filter(failed_at__isnull=False).exists():
        clock += timedelta(hours=12)
        provider_events.handle(clock=lambda clock=clock: clock)
    row.refresh_from_db()
    assert (row.attempts, row.error) == (8, "KeyError: 'amount_received'")
    provider_events.close(row, by=factories.agent(), now=now())
    with pytest.raises(event_inbox.NotFailed):
        provider_events.retry(row, by=factories.agent(), now=now())
