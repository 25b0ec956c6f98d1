"""A fast read answers as the ordinary view does, byte by byte, or leaves the request to it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from agents import api_tokens
from agents.models import Agent
from collection.fast import DASHBOARD_SECONDS
from collection.models import Debt, ExchangeRate
from communications.models import CommunicationLog
from ddc.common.api import pagination
from ddc.common.api.routes import resource
from ddc.fast import lists
from ddc.fast.reads import answer_fast
from payments import posting
from payments.api import PaymentView
from portal.models import DigitalActivity
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

ANSWERED = (
    "/debtors", "/debtors/", "/debtors?page=2&limit=2", "/debtors?page=1100&limit=1",
    "/debtors?page=99", "/debtors?search=john", "/debtors?search=%25",
    "/debtors?country_code=gb", "/debtors?country_code=&limit=3", "/debtors/{debtor}", "/debtors/{other}", "/debts",
    "/debts?limit=1&status=active", "/debts?debtor_id={debtor}", "/debts?segment_id={segment}", "/payments",
    "/payments?debt_id={debt}&status=completed", "/payments?debt_id={other}", "/dashboard/stats",
)  # fmt: skip
LEFT_TO_THE_VIEW = (
    "/debtors?page=0", "/debtors?limit=1001", "/debtors?search=%00", "/debtors?country_code=ZZ", "/debts?status=open",
    "/debts?debtor_id=7", "/payments?debt_id=x", "/debtors/00000000-0000-7000-8000-000000000000", "/debtors?sort=name",
)  # fmt: skip
PERMITTED = ("/debtors", "/debtors/{debtor}", "/debts", "/payments", "/dashboard/stats")


@pytest.fixture
def debt(supervisor: Agent) -> Debt:
    """Debts of every kind, in currencies with no, two and three decimals, with odd characters and gaps."""
    segment = factories.segment(min_p2p_score=Decimal("0.1"), min_balance=Decimal(1), currency_code="KWD")
    debtor = factories.debtor(
        first_name='Jöhn "\\" \x1f</script>\u2028', last_name="O'Brien", mobile_phone="+14155550100", country_code="US",
        region_state="CA", language_preference="pt-BR",
    )  # fmt: skip
    mixed = [("JPY", 5000), ("KWD", Decimal("12.345")), ("EUR", Decimal("0.10")), ("CLF", Decimal("1.2345"))]
    debts = [
        factories.debt(debtor=debtor, currency_code=code, original_balance=Decimal(amount), segment=segment)
        for code, amount in mixed
    ]
    factories.debt(debtor=factories.debtor(first_name=None, last_name=None, legal_entity="Ünï & Co", mobile_phone=None))
    factories.debtor()
    for code, rate in (("JPY", "160"), ("KWD", "0.33"), ("CLF", "0.03"), ("USD", "1.1")):
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
def stopped_clock() -> Iterator[None]:
    """Let both answers have one ``asOf``."""
    with time_machine.travel(now(), tick=False):
        yield


def both(api: Api, settings: Any, path: str) -> tuple[Any, list[str], Any]:
    """Return the answer with fast reads and its SQL, and the answer without them."""
    settings.FAST_READS = True
    with CaptureQueriesContext(connection) as queries:
        fast = api.get(path)
    settings.FAST_READS = False
    return fast, [query["sql"] for query in queries], api.get(path)


def parts(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return the status, body and headers, without what differs between two requests."""
    # PostgreSQL writes a JSON column with blanks, which are not part of its value.
    body = answer.content.replace(b'"deep": ["\xc3\xa9", 1.5, null]', b'"deep":["\xc3\xa9",1.5,null]')
    varying = ("x-request-id", "content-length")
    return answer.status_code, body, {k.lower(): v for k, v in answer.headers.items() if k.lower() not in varying}


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("origin", [{}, {"Origin": "https://app.example"}])
@pytest.mark.parametrize("path", ANSWERED)
def test_a_fast_read_answers_as_the_view_does(path: str, origin: dict[str, str], api: Api, settings: Any, debt: Debt):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    api.headers |= origin
    other = factories.debtor().pk
    path = path.format(debt=debt.pk, debtor=debt.debtor_id, segment=debt.segment_id, other=other)
    fast, statements, ordinary = both(api, settings, path)
    assert fast.status_code == 200
    assert parts(fast) == parts(ordinary)
    # A statement that is planned each time goes past Django's cursor, and so past the list of queries.
    assert sum("AS caller" in statement for statement in statements) == ("search=" not in path)
    # Rates are read where a debtor owes in several currencies, and a role's permissions every few seconds. The dashboard
    # reads its sums, the rates and the number of debtors.
    assert len(statements) <= (5 if "dashboard" in path else 3)


@pytest.mark.parametrize("path", LEFT_TO_THE_VIEW)
def test_what_a_fast_read_does_not_know_is_left_to_the_view(path: str, api: Api, settings: Any):
    fast, _, ordinary = both(api, settings, path)
    assert fast.status_code == (200 if "sort" in path else 404 if "-" in path else 422)
    assert parts(fast) == parts(ordinary)


@pytest.mark.parametrize("path", ANSWERED)
def test_without_fast_reads_only_the_ordinary_views_ask_the_database(path: str, api: Api, settings: Any, debt: Debt):
    settings.FAST_READS = False
    path = path.format(debt=debt.pk, debtor=debt.debtor_id, segment=debt.segment_id, other=debt.pk)
    with CaptureQueriesContext(connection) as queries:
        api.get(path)
    assert not any("AS caller" in query["sql"] for query in queries)


def test_other_methods_of_a_fast_path_go_to_the_view(api: Api, debt: Debt):
    assert api("HEAD", "/debts").status_code == 200
    assert api("OPTIONS", "/debts").headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert api.post("/payments", {"debtId": str(debt.pk), "amount": 1}).status_code == 201


@pytest.mark.parametrize("fast_reads", [True, False])
@pytest.mark.parametrize("path", PERMITTED)
def test_a_fast_read_obeys_tokens_and_permissions(
    path: str, fast_reads: bool, api: Api, supervisor: Agent, settings: Any
):
    settings.FAST_READS = fast_reads
    path = path.format(debtor=factories.debtor().pk)
    token, text = api_tokens.create(supervisor, now=now())
    by_token = Api(text)
    assert by_token.get(path).status_code == api.get(path).status_code == 200
    api_tokens.revoke(token, now=now())
    assert by_token.get(path).status_code == 401
    supervisor.token_families.update(revoked_at=now())
    assert api.get(path).status_code == 401
    without_role = factories.agent(None)
    _, text = api_tokens.create(without_role, now=now())
    assert Api(text).get(path).status_code == 403
    assert Api("ddc_wrong").get(path).status_code == Api().get(path).status_code == 401


def test_an_unexpected_error_in_a_fast_read_is_a_500_with_its_id(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lists, "fetch_row", lambda *_, **__: 1 / 0)
    answer = api.get("/debtors")
    assert answer.status_code == 500
    assert answer.json()["errorId"]


def test_the_total_of_a_long_list_may_lag_and_the_total_of_a_short_one_may_not(
    api: Api, monkeypatch: pytest.MonkeyPatch, debt: Debt
):
    def pay() -> None:
        posting.record(debt=debt, amount=Decimal(1), by=None, today=now().date())

    def total(limit: int) -> int:
        return int(api.get(f"/payments?limit={limit}").json()["meta"]["total"])

    pay()
    assert total(limit=1) == 3
    pay()
    assert total(limit=1) == 4
    monkeypatch.setattr(lists, "EXACT_UP_TO", 1)
    assert total(limit=7) == 4  # Another limit, because the statement of the first one counts further.
    pay()
    assert total(limit=7) == 4
    cache.clear()  # As after a minute.
    assert total(limit=7) == 5
    assert pagination.LAG_SECONDS <= 60


def test_the_dashboard_is_computed_again_after_a_few_seconds(api: Api, debt: Debt):
    def active_debts() -> int:
        return int(api.get("/dashboard/stats").json()["totalActiveDebts"])

    with time_machine.travel(now()) as clock:
        before = active_debts()
        factories.debt(balance=70)
        assert active_debts() == before
        clock.shift(DASHBOARD_SECONDS + 1)
        assert active_debts() == before + 1
    assert DASHBOARD_SECONDS <= 60


def test_a_fast_read_needs_a_route_of_its_name():
    with pytest.raises(KeyError):
        answer_fast(resource("payments", PaymentView, name="payment"), {"payments": lambda _: None})
