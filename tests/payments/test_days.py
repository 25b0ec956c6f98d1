"""The day of a payment, and the decimals of its amount."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from ddc.common import days
from ddc.common.money import BadAmount
from payments import posting
from payments.models import Payment
from tests import factories
from tests.conftest import Api

TODAY = date(2026, 2, 1)
#: On the 1st of February in UTC, while it is the 2nd on Kiritimati.
LATE = datetime(2026, 2, 1, 10, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def record(day: date, *, at: datetime = LATE, **fields: Any) -> Payment:
    debt = fields.pop("debt", None) or factories.debt()
    begun = days.begun(at)
    return posting.record(
        debt=debt, amount=Decimal(1), payment_date=day, by=None, today=at.date(), begun=begun, **fields
    )


def test_a_completed_payment_lies_on_a_day_that_has_begun_somewhere():
    assert record(TODAY + timedelta(days=1)).payment_date == TODAY + timedelta(days=1)
    with pytest.raises(posting.PaidInFuture) as refused:
        record(TODAY + timedelta(days=1), at=LATE - timedelta(seconds=1))
    assert (refused.value.field, refused.value.status) == ("payment_date", 422)
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("status", ["completed", "refunded"])
def test_only_a_pending_or_failed_payment_may_lie_ahead(status: str):
    debt = factories.debt()
    with pytest.raises(posting.PaidInFuture):
        record(TODAY + timedelta(days=30), status=status, debt=debt)
    pending = record(TODAY + timedelta(days=30), status="pending", debt=debt)
    with pytest.raises(posting.PaidInFuture):
        posting.amend(pending, by=None, today=TODAY, status=status)
    debt.refresh_from_db()
    assert debt.current_balance == 1000


@pytest.mark.parametrize("day", [date.min, date(1969, 12, 31), date(2099, 1, 1), date.max])
def test_a_day_that_is_a_typing_error_is_refused_for_every_status(day: date):
    for status in ("pending", "failed"):
        with pytest.raises(days.ImplausibleDate):
            record(day, status=status)


def test_the_default_day_is_the_agencys(api: Api, settings: Any):
    debt = factories.debt()
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        settings.AGENCY_TIME_ZONE = zone
        made = api.post("/payments", {"debtId": str(debt.pk), "amount": 1})
        assert made.json()["paymentDate"] == days.agency_today(now()).isoformat()


@pytest.mark.parametrize("day", ["2099-01-01", "9999-12-31", "0001-01-01"])
def test_the_api_refuses_days_that_can_not_be(api: Api, day: str):
    debt = factories.debt()
    answer = api.post("/payments", {"debtId": str(debt.pk), "amount": 1, "paymentDate": day})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["paymentDate"]
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("currency", "amount"), [("USD", "1.000"), ("JPY", "1.0"), ("KWD", "1.0000"), ("USD", "0.010")]
)
def test_more_decimals_than_the_currency_has_are_refused_zeros_too(api: Api, currency: str, amount: str):
    debt = factories.debt(currency_code=currency, balance="5")
    for body in (f'"{amount}"', amount):
        answer = api.client.generic(
            "POST",
            "/payments",
            data=f'{{"debtId": "{debt.pk}", "amount": {body}}}'.encode(),
            content_type="application/json",
            headers=api.headers,
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "amount")
    with pytest.raises(BadAmount):
        factories.debt(currency_code=currency, balance=amount)
    answer = api.put(f"/debts/{debt.pk}", {"currentBalance": amount})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "currentBalance")
