"""Parked rows of placement files in the back office: both persons side by side, and two decisions."""

import io

import pytest

from collection.models import Debt, ParkedPlacement
from collection.placements import loading
from debtors.models import Debtor
from tests.admin.conftest import Browser, address
from tests.collection.placements.files import ROW, text
from tests.strategy.makers import TODAY, clock

GUS = ROW | {"firstName": "Gus", "lastName": "Hale", "externalReference": "A-2", "originalBalance": "2500.00"}


@pytest.fixture
def parked(db: None) -> ParkedPlacement:
    loading.load(io.BytesIO(text(ROW, GUS).encode()), by=None, today=TODAY, now=clock())
    return ParkedPlacement.objects.get()


def action(row: ParkedPlacement, name: str) -> str:
    return f"/admin/collections/parkedplacement/{row.pk}/{name}/"


def test_the_front_page_counts_parked_rows(agent_at_desk: Browser, parked: ParkedPlacement):
    page = agent_at_desk.get("/admin/").content.decode()
    assert "Parked placement rows" in page


def test_the_list_shows_waiting_rows_and_the_decided_ones_by_filter(agent_at_desk: Browser, parked: ParkedPlacement):
    assert "Gus Hale" in agent_at_desk.list(ParkedPlacement).content.decode()
    agent_at_desk.post(action(parked, "same"))
    assert "Gus Hale" not in agent_at_desk.list(ParkedPlacement).content.decode()
    assert "Gus Hale" in agent_at_desk.list(ParkedPlacement, decided="yes").content.decode()
    assert "Gus Hale" in agent_at_desk.list(ParkedPlacement, decided="all", q="Ann Doe").content.decode()


def test_the_page_has_both_persons_side_by_side(agent_at_desk: Browser, parked: ParkedPlacement):
    page = agent_at_desk.get(address(ParkedPlacement, "change", parked.pk)).content.decode()
    for words in (
        "In the file",
        "Known debtor",
        "Gus",
        "Ann",
        "Hale",
        "Doe",
        "2500.00",
        "Same person",
        "Another person",
    ):
        assert words in page


@pytest.mark.parametrize(("name", "debtors"), [("same", 1), ("another", 2)])
def test_an_agent_decides(agent_at_desk: Browser, parked: ParkedPlacement, name: str, debtors: int):
    assert agent_at_desk.get(action(parked, name)).status_code == 200
    assert agent_at_desk.post(action(parked, name)).status_code == 302
    parked.refresh_from_db()
    assert (parked.decision, parked.outcome, parked.decided_by) == (name, "accepted", agent_at_desk.agent)
    assert Debt.objects.filter(original_balance=2500).count() == 1
    assert Debtor.objects.count() == debtors
    assert agent_at_desk.post(action(parked, name)).status_code == 403


def test_an_auditor_sees_and_does_not_decide(auditor_at_desk: Browser, parked: ParkedPlacement):
    page = auditor_at_desk.get(address(ParkedPlacement, "change", parked.pk)).content.decode()
    assert "In the file" in page
    assert "Another person" not in page
    assert auditor_at_desk.post(action(parked, "another")).status_code == 403
    parked.refresh_from_db()
    assert parked.decision is None
