"""A quick read answers as the ordinary view does, byte by byte, or leaves it to it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from agents import tokens
from agents.models import Agent
from collection.models import Debt, ExchangeRate
from communications.models import CommunicationLog
from ddc.common.api.views import View
from payments import posting
from portal.models import DigitalActivity
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PATHS = (
    "/debtors", "/debtors?page=2&limit=2", "/debtors?page=1100&limit=1",
    "/debtors?page=99", "/debtors?search=john", "/debtors?search=%25",
    "/debtors?country_code=gb", "/debtors?country_code=&limit=3", "/debtors/{debtor}", "/debtors/{other}", "/debts",
    "/debts?limit=1&status=active", "/debts?debtor_id={debtor}", "/debts?segment_id={segment}", "/payments",
    "/payments?debt_id={debt}&status=completed", "/payments?debt_id={other}",
)  # fmt: skip
REFUSED = (
    "/debtors?page=0", "/debtors?limit=1001", "/debtors?search=%00", "/debtors?country_code=ZZ", "/debts?status=open",
    "/debts?debtor_id=7", "/payments?debt_id=x", "/debtors/00000000-0000-7000-8000-000000000000",
)  # fmt: skip


@pytest.fixture
def debt(supervisor: Agent) -> Debt:
    """Debts of every kind, in currencies with no, two and three decimals, with odd characters and gaps."""
    segment = factories.segment(min_p2p_score=Decimal("0.1"), min_balance=Decimal(1), currency_code="KWD")
    debtor = factories.debtor(
        first_name='Jöhn "\\" \x1f</script>\u2028', last_name="O'Brien", mobile_phone="+14155550100", country_code="US",
        region_state="CA", language_preference="pt-BR",
    )  # fmt: skip
    mixed = [("JPY", 5000), ("KWD", Decimal("12.345")), ("EUR", Decimal("0.10"))]
    debts = [
        factories.debt(debtor=debtor, currency_code=code, original_balance=Decimal(amount), segment=segment)
        for code, amount in mixed
    ]
    factories.debt(debtor=factories.debtor(first_name=None, last_name=None, legal_entity="Ünï & Co", mobile_phone=None))
    factories.debtor()
    for code, rate in (("JPY", "160"), ("KWD", "0.33"), ("USD", "1.1")):
        ExchangeRate.objects.create(date=now().date(), currency_code=code, per_euro=Decimal(rate))
    posting.record(debt=debts[1], amount=Decimal("1.5"), by=supervisor, today=now().date())
    posting.record(debt=debts[1], amount=Decimal(2), status="pending", by=None, today=now().date())
    for about in (debts[0], None):
        CommunicationLog.objects.create(
            debtor=debtor, debt=about, communication_type="sms", subject="a\tb", due_at=now()
        )
        DigitalActivity.objects.create(
            debtor=debtor, debt=about, activity_type="seen", metadata={"deep": ["é", 1.5, None]}
        )
    return debts[1]


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch, api: Api) -> Callable[[str], Any]:
    """Ask as if there were no quick reads."""

    def get(path: str) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr("ddc.common.api.quick.ask", lambda *_, **__: None)
            patched.setattr("debtors.reads.ask", lambda *_: None)
            patched.setattr("collection.reads.ask", lambda *_: None)
            return api.get(path)

    return get


def headers(answer: Any) -> dict[str, str]:
    """Return the headers that two answers to the same request have in common."""
    varying = ("x-request-id", "content-length")
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in varying}


@pytest.mark.parametrize("path", PATHS)
def test_a_quick_read_answers_as_the_view_does(path: str, api: Api, ordinary: Any, debt: Debt):
    other = factories.debtor().pk
    path = path.format(debt=debt.pk, debtor=debt.debtor_id, segment=debt.segment_id, other=other)
    with CaptureQueriesContext(connection) as queries:
        quick = api.get(path)
    slow = ordinary(path)
    assert quick.status_code == 200
    assert quick.content.replace(b'"deep": ["\xc3\xa9", 1.5, null]', b'"deep":["\xc3\xa9",1.5,null]') == slow.content
    assert headers(quick) == headers(slow)
    # The rates are read where somebody owes in several currencies, and a role's permissions every few seconds.
    assert len(queries) <= 3


@pytest.mark.parametrize("path", REFUSED)
def test_what_a_quick_read_does_not_know_the_view_answers(path: str, api: Api, ordinary: Any):
    quick, slow = api.get(path), ordinary(path)
    assert quick.status_code in (404, 422)
    assert (quick.status_code, quick.content) == (slow.status_code, slow.content)


@pytest.mark.parametrize("path", ["/debtors", "/debts", "/payments", "/dashboard/stats"])
def test_a_quick_read_knows_who_may_not_read(path: str, api: Api, supervisor: Agent):
    token, text = tokens.create_api_token(supervisor, now=now())
    by_token = Api(text)
    assert by_token.get(path).status_code == api.get(path).status_code == 200
    tokens.revoke_api_token(token, now=now())
    assert by_token.get(path).status_code == 401
    supervisor.token_families.update(revoked_at=now())
    assert api.get(path).status_code == 401
    nobody = factories.agent(None)
    _, text = tokens.create_api_token(nobody, now=now())
    assert Api(text).get(path).status_code == 403
    assert Api("ddc_wrong").get(path).status_code == Api().get(path).status_code == 401


def test_views_name_the_actions_that_they_have():
    def views(of: type[View]) -> Iterator[type[View]]:
        for view in of.__subclasses__():
            yield view
            yield from views(view)

    assert [(view, name) for view in views(View) for name in view.quick if not hasattr(view, name)] == []


@pytest.mark.django_db(transaction=True)
def test_the_dashboard_is_made_anew_when_anything_was_written():
    _, text = tokens.create_api_token(factories.agent(), now=now())
    api = Api(text)

    def figures() -> tuple[int, dict[str, Any]]:
        with CaptureQueriesContext(connection) as queries:
            answer = api.get("/dashboard/stats").json()
        return len(queries), answer

    _, before = figures()
    # The caller and the snapshot; a role's permissions every few seconds. Other databases of the server count as well.
    assert any(figures()[0] <= 2 for _ in range(100))
    factories.debt(balance=70)
    _, after = figures()
    assert (before["totalActiveDebts"], after["totalActiveDebts"]) == (0, 1)
    assert after["totalDebtAmount"] == "70.00"
    assert figures()[1] | {"asOf": ""} == after | {"asOf": ""}
