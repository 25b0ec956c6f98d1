"""Times by the agency's clock and amounts with thousands separators, on every list."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from agency import profile
from collection.models import Debt, Dispute
from communications.models import CommunicationLog
from ddc.common.admin.pages import when
from tests import factories
from tests.admin.conftest import Browser, address
from tests.admin.test_exports import download

AT = datetime(2026, 1, 14, 2, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def new_york(db: None) -> Any:
    profile.change({"time_zone": "America/New_York"})
    yield
    profile.forget()


@pytest.mark.usefixtures("new_york")
def test_a_time_is_shown_and_entered_by_the_agencys_clock(agent_at_desk: Browser):
    debt = factories.debt()
    CommunicationLog.objects.create(debtor=debt.debtor, communication_type="email", status="sent", created_at=AT)
    assert "13 Jan 2026, 21:05" in agent_at_desk.get(address(CommunicationLog, "changelist")).content.decode()
    fields = {"debt": debt.pk, "channel": "letter", "reason": "Not mine", "evidence": ""}
    agent_at_desk.post(address(Dispute, "add"), fields | {"received_at_0": "2026-01-13", "received_at_1": "21:05"})
    dispute = Dispute.objects.get()
    assert dispute.received_at == AT
    assert "13 Jan 2026, 21:05" in agent_at_desk.get(address(Dispute, "change", dispute.pk)).content.decode()


@pytest.mark.usefixtures("new_york")
def test_a_computed_column_has_the_same_clock_and_form():
    assert (when(AT), when(AT, seconds=True), when(None)) == ("13 Jan 2026, 21:05", "13 Jan 2026, 21:05:00", "-")


def test_an_amount_has_thousands_separators_but_not_in_a_file(supervisor_at_desk: Browser):
    factories.debt(original_balance=Decimal("1234567.5"))
    assert "1,234,567.50 GBP" in supervisor_at_desk.get(address(Debt, "changelist")).content.decode()
    assert "1234567.50 GBP" in download(supervisor_at_desk, Debt)[0].values()
