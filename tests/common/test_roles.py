"""Who may do what over the API. What is refused leaves everything as it was."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from agents.models import Agent
from collection import deferrals
from collection.models import Debt
from payments import posting
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db

SignIn = Callable[[Agent], Api]

ALLOWED = {"Agent", "Supervisor"}
STEPS: dict[str, tuple[str, str, Any, set[str]]] = {
    "read debtors": ("GET", "/debtors", None, {"Agent", "Supervisor", "Auditor"}),
    "read the ledger": ("GET", "/debts/{debt}/ledger", None, {"Agent", "Supervisor", "Auditor"}),
    "read the dashboard": ("GET", "/dashboard/stats", None, {"Agent", "Supervisor", "Auditor"}),
    "read runs": ("GET", "/strategy/runs", None, {"Agent", "Supervisor", "Auditor"}),
    "amend a debtor": ("PUT", "/debtors/{debtor}", {"city": "Leeds"}, ALLOWED),
    "amend a debt": ("PUT", "/debts/{debt}", {"originalCreditor": "X"}, ALLOWED),
    "record a payment": ("POST", "/payments", {"debtId": "{debt}", "amount": 1}, ALLOWED),
    "complete a pending payment": ("PUT", "/payments/{pending}", {"status": "completed"}, ALLOWED),
    "dispute a debt": ("PUT", "/debts/{debt}", {"currentStatus": "disputed"}, ALLOWED),
    "approve a deferral": ("PUT", "/deferral-requests/{request}/approve", {}, ALLOWED),
    "delete a debtor": ("DELETE", "/debtors/{lonely}", None, {"Supervisor"}),
    "delete a payment": ("DELETE", "/payments/{payment}", None, {"Supervisor"}),
    "change a posted payment": ("PUT", "/payments/{payment}", {"amount": 2}, {"Supervisor"}),
    "adjust a balance": ("PUT", "/debts/{debt}", {"currentBalance": 5}, {"Supervisor"}),
    "close a debt": ("PUT", "/debts/{debt}", {"currentStatus": "written_off"}, {"Supervisor"}),
    "make a segment": ("POST", "/segments", {"name": "S"}, {"Supervisor"}),
    "start a dry run": ("POST", "/strategy/runs", {"dryRun": True}, {"Supervisor"}),
}


@pytest.mark.parametrize("role", ["Agent", "Supervisor", "Auditor", None])
@pytest.mark.parametrize("step", STEPS)
def test_each_role_may_do_what_it_may(step: str, role: str | None, api_as: SignIn):
    method, path, body, roles = STEPS[step]
    debt = factories.debt(balance="1000")
    record = {"debt": debt, "by": None, "today": now().date()}
    ids = {
        "debt": debt.pk,
        "debtor": debt.debtor_id,
        "lonely": factories.debtor().pk,
        "payment": posting.record(**record, amount=Decimal(10)).pk,
        "pending": posting.record(**record, amount=Decimal(10), status="pending").pk,
        "request": deferrals.request(debt, debtor=debt.debtor, days=5, reason="I lost my job.", now=now()).pk,
    }
    before = list(Debt.objects.values())
    filled = (
        {key: value.format(**ids) if isinstance(value, str) else value for key, value in body.items()} if body else body
    )
    answer = api_as(factories.agent(role))(method, path.format(**ids), filled)
    if role in roles:
        assert answer.status_code in (200, 201, 202, 204), answer.content
    else:
        assert answer.status_code == 403, answer.content
        assert list(Debt.objects.values()) == before
