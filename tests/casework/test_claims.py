"""Claims on work: the second agent sees who has an item, until ten minutes after the last request."""

from datetime import UTC, datetime, timedelta

import pytest

from casework import claims, tasks
from casework.models import WorkClaim
from debtors.models import Debtor
from tests import factories

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def test_the_first_agent_has_the_item_and_the_second_sees_who():
    first, second, item = factories.agent("Agent"), factories.agent("Agent"), factories.debtor()
    mine = claims.claim(item, by=first, now=NOW)
    theirs = claims.claim(item, by=second, now=NOW + MINUTE)
    assert (mine.agent, theirs.agent, theirs.claimed_at) == (first, first, NOW)
    assert claims.claim(factories.debt(debtor=item), by=second, now=NOW).agent == second  # another item
    assert WorkClaim.objects.count() == 2


def test_each_request_of_its_agent_renews_it():
    first, second, item = factories.agent("Agent"), factories.agent("Agent"), factories.debtor()
    for minutes in (0, 9, 18):
        claims.claim(item, by=first, now=NOW + minutes * MINUTE)
    assert claims.claim(item, by=second, now=NOW + 27 * MINUTE).agent == first
    assert WorkClaim.objects.get().claimed_at == NOW


def test_ten_minutes_after_the_last_request_it_ends():
    first, second, item = factories.agent("Agent"), factories.agent("Agent"), factories.debtor()
    claims.claim(item, by=first, now=NOW)
    just_before = NOW + claims.LASTS - timedelta(seconds=1)
    assert claims.claim(item, by=second, now=just_before).agent == first
    assert claims.in_force(Debtor._meta.label, [item.pk], now=just_before)[item.pk].agent == first
    assert claims.in_force(Debtor._meta.label, [item.pk], now=NOW + claims.LASTS) == {}
    taken = claims.claim(item, by=second, now=NOW + claims.LASTS)
    assert (taken.agent, taken.claimed_at) == (second, NOW + claims.LASTS)
    assert claims.claim(item, by=first, now=NOW + claims.LASTS).agent == second


def test_an_own_claim_that_ended_begins_again():
    agent, item = factories.agent("Agent"), factories.debtor()
    claims.claim(item, by=agent, now=NOW)
    assert claims.claim(item, by=agent, now=NOW + 2 * claims.LASTS).claimed_at == NOW + 2 * claims.LASTS


def test_its_agent_releases_it_and_nobody_else():
    first, second, item = factories.agent("Agent"), factories.agent("Agent"), factories.debtor()
    claims.claim(item, by=first, now=NOW)
    claims.release(item, by=second)
    assert claims.claim(item, by=second, now=NOW).agent == first
    claims.release(item, by=first)
    assert claims.claim(item, by=second, now=NOW).agent == second


def test_ended_claims_are_deleted():
    ended, current = factories.debtor(), factories.debtor()
    claims.claim(ended, by=factories.agent("Agent"), now=NOW)
    claims.claim(current, by=factories.agent("Agent"), now=datetime.now(UTC))
    tasks.delete_ended_claims()
    assert WorkClaim.objects.get().item_id == current.pk
