"""Working through a worklist: the most urgent item first, skipping what another agent has, to the last one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Agent
from casework import claims, worklists
from casework.worklists import BY_KIND, WORKLISTS, Position
from collection import deferrals
from collection.models import DeferralRequest
from communications.models import CallTask, CommunicationLog
from tests import factories
from tests.admin.conftest import fill

NOW = datetime(2026, 2, 2, 12, tzinfo=UTC)
DEFERRALS = BY_KIND["deferrals"]

pytestmark = pytest.mark.django_db


def asked(hours_ago: int) -> DeferralRequest:
    debt = factories.debt()
    made = deferrals.request(debt, debtor=debt.debtor, days=30, reason="More time.", now=NOW)
    DeferralRequest.objects.filter(pk=made.pk).update(created_at=NOW - timedelta(hours=hours_ago))
    made.refresh_from_db()
    return made


@pytest.fixture
def three() -> list[DeferralRequest]:
    return [asked(hours) for hours in (1, 3, 2)]


@pytest.fixture
def agent() -> Agent:
    return factories.agent("Agent")


def walk(worklist: worklists.Worklist, agent: Agent) -> list[Any]:
    found, item = [], worklist.next_after(None, agent, now=NOW)
    while item:
        found.append(item)
        item = worklist.next_after(item, agent, now=NOW)
    return found


def test_the_oldest_comes_first_and_after_the_last_one_comes_none(three: list[DeferralRequest], agent: Agent):
    newest, oldest, middle = three
    assert walk(DEFERRALS, agent) == [oldest, middle, newest]
    assert [DEFERRALS.position(item, agent, now=NOW) for item in (oldest, middle, newest)] == [
        Position(1, 3), Position(2, 3), Position(3, 3),
    ]  # fmt: skip
    assert DEFERRALS.previous(newest, agent, now=NOW) == middle
    assert DEFERRALS.previous(oldest, agent, now=NOW) is None


def test_of_items_of_one_moment_each_is_passed_once(agent: Agent):
    for _ in range(3):
        asked(5)
    found = walk(DEFERRALS, agent)
    assert len({item.pk for item in found}) == len(found) == 3


def test_what_was_decided_keeps_its_place_and_leads_to_the_next(three: list[DeferralRequest], agent: Agent):
    newest, oldest, middle = three
    deferrals.approve(middle, by=factories.agent(), notes=None, now=NOW)
    middle.refresh_from_db()
    assert DEFERRALS.next_after(middle, agent, now=NOW) == newest
    assert DEFERRALS.position(middle, agent, now=NOW) == Position(2, 2)
    assert DEFERRALS.previous(middle, agent, now=NOW) == oldest


@pytest.mark.parametrize("what", ["item", "person"])
def test_what_another_agent_has_is_skipped_until_the_claim_ends(three: list[DeferralRequest], agent: Agent, what: str):
    newest, oldest, middle = three
    claims.claim(oldest if what == "item" else oldest.debtor, by=factories.agent("Agent"), now=NOW)
    claims.claim(middle, by=agent, now=NOW)
    assert walk(DEFERRALS, agent) == [middle, newest]
    assert DEFERRALS.position(middle, agent, now=NOW) == Position(1, 2)
    assert DEFERRALS.next_after(None, agent, now=NOW + claims.LASTS) == oldest


def test_two_agents_who_start_get_different_items(three: list[DeferralRequest], agent: Agent):
    first, second = (DEFERRALS.take(each, now=NOW) for each in (agent, factories.agent("Agent")))
    assert (first, second) == (three[1], three[2])
    assert DEFERRALS.take(agent, now=NOW, after=first) == three[0]
    assert DEFERRALS.take(agent, now=NOW, after=three[0]) is None


def test_a_count_ends(three: list[DeferralRequest], agent: Agent, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worklists, "MAX_COUNT", 2)
    assert str(DEFERRALS.position(three[2], agent, now=NOW)) == "2 of 2 or more"


def test_only_calls_that_may_be_made_now_are_offered(agent: Agent):
    made = []
    for country, phone in (("GB", "+447700900001"), ("US", "+12125550123")):
        debt = factories.debt(debtor=factories.debtor(mobile_phone=phone, country_code=country))
        made.append(
            CommunicationLog.objects.create(
                debtor=debt.debtor,
                debt=debt,
                communication_type="call_script",
                status="sent",
                sent_at=NOW,
                address=phone,
            )
        )
    calls = BY_KIND["calls"]
    assert [item.pk for item in walk(calls, agent)] == [made[0].pk]  # It is seven in the morning in New York.
    CallTask.objects.filter(pk=made[0].pk).update(begun_at=NOW, begun_by=factories.agent("Agent"))
    assert walk(calls, agent) == []


def test_every_kind_walks_and_places_its_items_in_few_queries(agent: Agent):
    with time_machine.travel(NOW, tick=False):
        fill(2)
        boss = factories.agent("Supervisor")
        for worklist in WORKLISTS:
            found = list(worklist.rows(boss, now=NOW)) if worklist.kind != "calls" else []
            for item in found[:1]:
                with CaptureQueriesContext(connection) as made:
                    worklist.position(item, boss, now=NOW)
                    worklist.next_after(item, boss, now=NOW)
                assert len(made) == 2, worklist.kind
            assert [row.pk for row in walk(worklist, boss)] == [row.pk for row in found] or worklist.kind == "calls"


def test_an_agent_has_the_work_that_the_role_may_do(agent: Agent):
    kinds = {worklist.kind for worklist in worklists.of(agent)}
    assert {
        "deferrals",
        "replies",
        "calls",
        "follow-ups",
        "uncertain",
        "parked",
        "creditor-questions",
        "suspense",
        "broken-arrangements",
        "support",
    } == kinds
    assert worklists.of(factories.agent("Auditor")) == []
    assert len(worklists.of(factories.agent("Supervisor"))) == len(WORKLISTS)
