"""No list asks the database once per row."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from collection import deferrals
from collection.models import Debt
from communications.models import CommunicationLog
from payments import credits, posting, receipts
from payments.models import Credit, Receipt
from payments.receipts import Line
from portal.models import DigitalActivity
from strategy.models import StrategyRule, StrategyRun
from tests import factories
from tests.conftest import Api
from tests.payments.receipts.makers import NOW, TODAY, receipt
from tests.strategy import makers

pytestmark = pytest.mark.django_db


def fill(rows: int) -> Debt:
    """Make so many of everything, half of it belonging to one debt."""
    first = factories.debt(segment=factories.segment())
    for number in range(rows - 1):
        debt = factories.debt(
            debtor=first.debtor if number % 2 else factories.debtor(),
            currency_code="EUR" if number % 3 else "GBP",
            segment=factories.segment(),
        )
        deferrals.request(debt, debtor=debt.debtor, days=5, reason="I lost my job.", now=now())
    shared = receipt(1000)
    for number in range(rows):
        agent = factories.agent("Agent")
        posting.record(debt=first, amount=Decimal(1), by=agent, today=now().date())
        parts = [Line(first, Decimal(1)), Line(first, Decimal(1), to_credit=True)]
        receipts.book(shared, parts, by=agent, today=TODAY, now=NOW)
        came = receipt(5)
        receipts.book(came, parts, by=agent, today=TODAY, now=NOW)
        credits.propose_refund_of_receipt(came, amount=Decimal(1), reason="x", by=agent, now=NOW)
        template = factories.template()
        CommunicationLog.objects.create(
            debtor=first.debtor, debt=first, template=template, communication_type="sms", due_at=now()
        )
        DigitalActivity.objects.create(debtor=first.debtor, debt=first, activity_type="page_view")
        StrategyRule.objects.create(
            name=f"{rows}/{number}",
            segment=factories.segment(),
            template=template,
            channel="email",
            trigger=makers.due_after(1),
        )
        StrategyRun.objects.create(date=now().date(), status="done")
    return first


PATHS = [
    "/debtors", "/debtors/{debtor}", "/debtors/{debtor}/debts", "/debts", "/debts/{debt}", "/debts/{debt}/payments",
    "/debts/{debt}/ledger", "/payments", "/deferral-requests", "/segments", "/strategy-rules", "/strategy/runs",
    "/communication-templates", "/communication-logs", "/digital-activities", "/debtors?search=john",
    "/debtors/{debtor}/contact-preview", "/receipts", "/receipts/{receipt}", "/receipts/{receipt}/proposals", "/credits",
    "/credits/{credit}", "/refunds", "/creditors",
]  # fmt: skip


@pytest.mark.usefixtures("remembered_roles")
def test_no_list_queries_once_per_row(api: Api):
    counts: dict[int, dict[str, int]] = {}
    for rows in (3, 50):
        debt = fill(rows)
        ids = {"debt": debt.pk, "debtor": debt.debtor_id, "receipt": Receipt.objects.latest("amount").pk}
        ids["credit"] = Credit.objects.get(debtor=debt.debtor_id).pk
        counts[rows] = {}
        for path in PATHS:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = api.get(path.format(**ids))
            assert answer.status_code == 200, answer.content
            counts[rows][path] = len(queries)
    # Rates are read where somebody owes in several currencies, which one debt can't show.
    mixed = {"/debtors", "/debtors/{debtor}", "/debtors?search=john"}
    for path, few in counts[3].items():
        assert counts[50][path] <= few + (path in mixed), path
