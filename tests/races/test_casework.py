"""Casework under threads: one agent has an item, and one closes a follow-up."""

import functools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.models import Agent
from casework import claims, follow_ups
from casework.models import FollowUp, WorkClaim
from debtors.models import Debtor
from tests import factories
from tests.races.threads import at_once, refusals

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
THREADS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def race_of_claims(debtor: Debtor) -> set[object]:
    """Let several agents open one item at once; return whom each was told to have it."""
    agents = [factories.agent("Agent") for _ in range(THREADS)]
    told = at_once(*[functools.partial(claims.claim, debtor, by=agent, now=NOW) for agent in agents])
    assert refusals(told) == []
    return {claim.agent_id for claim in told}


def race_of_closing() -> list[object]:
    follow_up = follow_ups.set_for(factories.debtor(), due_on=NOW.date(), text="Call", by=None, now=NOW)
    agents = [factories.agent("Agent") for _ in range(THREADS)]

    def close(index: int) -> None:
        mine = FollowUp.objects.get(pk=follow_up.pk)
        if index % 2:
            follow_ups.finish(mine, by=agents[index], now=NOW)
        else:
            follow_ups.move(mine, due_on=NOW.date() + timedelta(1), by=agents[index], now=NOW)

    return at_once(*[functools.partial(close, index) for index in range(THREADS)])


def test_of_agents_at_once_one_has_the_item_and_all_see_the_same():
    debtor = factories.debtor()
    assert len(race_of_claims(debtor)) == 1
    assert WorkClaim.objects.count() == 1


def test_of_agents_at_once_one_takes_over_an_ended_claim():
    debtor = factories.debtor()
    claims.claim(debtor, by=factories.agent("Agent"), now=NOW - claims.LASTS)
    assert race_of_claims(debtor) == {WorkClaim.objects.get().agent_id}


@pytest.mark.deep
def test_with_a_look_before_the_write_several_agents_are_told_that_they_have_it(monkeypatch: pytest.MonkeyPatch):
    import threading

    looked = threading.Barrier(THREADS)
    debtor = factories.debtor()
    claims.claim(debtor, by=factories.agent("Agent"), now=NOW - claims.LASTS)

    def look_then_write(item: Any, *, by: Agent, now: datetime) -> WorkClaim:
        ended = WorkClaim.objects.filter(item_id=item.pk, seen_at__lte=now - claims.LASTS).exists()
        looked.wait(timeout=20)
        if ended:
            WorkClaim.objects.filter(item_id=item.pk).update(agent=by, seen_at=now)
        return WorkClaim.objects.get(item_id=item.pk)

    monkeypatch.setattr(claims, "attempt", look_then_write)
    assert len(race_of_claims(debtor)) > 1


def test_of_agents_at_once_one_closes_the_follow_up():
    results = race_of_closing()
    assert [type(refused) for refused in refusals(results)] == [follow_ups.AlreadyClosed] * (THREADS - 1)
    closed = FollowUp.objects.get(continues=None)
    assert FollowUp.objects.count() == (2 if closed.outcome == "moved" else 1)


@pytest.mark.deep
def test_without_the_conditional_update_several_agents_close_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow_ups, "claim_closing", lambda follow_up, *_, **__: follow_up.outcome is None)
    assert len(refusals(race_of_closing())) < THREADS - 1
