"""The contact forecast of a run, which a worker makes after it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection.models import Hold
from communications.models import CommunicationLog
from contact import decisions
from contact.models import ContactDecision
from strategy import contact_forecast, tasks
from strategy.models import StrategyRun
from tests import factories
from tests.admin.conftest import Browser, address
from tests.strategy import makers

pytestmark = pytest.mark.django_db
#: The makers' clock: 9:00 UTC, which is 10:00 in London, 5:00 in New York and 21:00 in Auckland.
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)


def people(rule):
    """One message that may go now, one later, one never, and one both later and never."""
    american = {"country_code": "US", "region_state": "NJ"}
    makers.due_debt(rule)
    makers.due_debt(rule, debtor=factories.debtor(**american, mobile_phone="+12015550123"))
    held = makers.due_debt(rule)
    both = makers.due_debt(rule, debtor=factories.debtor(**american, mobile_phone="+12015550124"))
    for debt in (held, both):
        # It blocks contact but not the strategy, which would leave the debt out.
        Hold.objects.create(debt=debt, reason="complaint", starts_on=date(2026, 6, 1), blocks_strategy=False)


def forecast_of(run):
    """Have the forecast made, and return it."""
    assert contact_forecast.make_missing(now=NOW) == 1
    run.refresh_from_db()
    assert run.contact
    return run.contact


def test_a_worker_counts_what_may_go_at_once_later_and_never(api):
    people(makers.rule())
    run = makers.run()
    assert run.contact is None
    assert contact_forecast.make_missing(now=NOW) == 1

    assert api.get(f"/strategy/runs/{run.pk}").json()["contact"] == {
        "at": "2026-06-30T09:00:00.000Z", "allowed": 1, "postponed": 1, "denied": 2,
        "reasons": [
            {"verdict": "deny", "code": "DEBT_HELD", "count": 2},
            {"verdict": "postpone", "code": "OUTSIDE_WINDOW", "count": 1},
        ],
        "openings": [{"hour": "2026-06-30T12:00:00.000Z", "count": 1}],
    }  # fmt: skip
    assert set(CommunicationLog.objects.values_list("status", flat=True)) == {"queued"}


def test_the_decision_on_each_message_is_stored_and_can_be_made_again():
    people(makers.rule())
    run = makers.run()
    forecast_of(run)

    kept = ContactDecision.objects.filter(stage="queued", at=run.finished_at)
    assert set(kept.values_list("message_id", flat=True)) == set(CommunicationLog.objects.values_list("pk", flat=True))
    assert sorted(kept.values_list("verdict", flat=True)) == ["allow", "deny", "deny", "postpone"]
    assert all(decisions.repeat(row).verdict == row.verdict for row in kept)
    assert contact_forecast.make_missing(now=NOW) == 0
    assert ContactDecision.objects.count() == 4


def test_a_dry_run_has_the_same_forecast():
    people(makers.rule())
    dry = makers.run(dry_run=True)
    assert not CommunicationLog.objects.exists()

    assert dry.contact == forecast_of(makers.run())


def test_it_is_made_once_and_not_for_an_old_run(monkeypatch):
    makers.due_debt(makers.rule())
    run = makers.run()
    assert contact_forecast.make_missing(now=NOW + timedelta(days=2)) == 0
    monkeypatch.setattr("strategy.tasks.timezone.now", lambda: NOW)
    tasks.forecast_contact()
    assert contact_forecast.make_missing(now=NOW) == 0
    assert StrategyRun.objects.values_list("contact__allowed", flat=True).get(pk=run.pk) == 1


def test_a_message_that_was_sent_since_is_counted_as_of_the_end_of_the_run():
    makers.due_debt(makers.rule())
    run = makers.run()
    CommunicationLog.objects.update(status="sent", sent_at=NOW + timedelta(minutes=1))
    found = forecast_of(run)

    assert (found["allowed"], found["postponed"], found["denied"]) == (1, 0, 0)


def test_a_message_that_may_go_is_a_contact_for_those_after_it():
    rule = makers.rule()
    french = factories.debtor(country_code="FR", mobile_phone=None)
    for _ in range(5):
        makers.due_debt(rule, debtor=french)
    run = makers.run()
    found = forecast_of(run)

    assert (found["allowed"], found["postponed"]) == (3, 2)
    assert found["reasons"] == [{"verdict": "postpone", "code": "TOO_MANY", "count": 2}]


def test_later_hours_than_are_listed_are_counted_with_the_last_one(monkeypatch):
    monkeypatch.setattr(contact_forecast, "MAX_HOURS", 2)
    rule = makers.rule()
    for number, region in enumerate(("NJ", "CO", "CA", "HI")):
        makers.due_debt(
            rule,
            debtor=factories.debtor(country_code="US", region_state=region, mobile_phone=f"+1800555012{number}"),
        )
    run = makers.run()

    assert [opening["count"] for opening in forecast_of(run)["openings"]] == [1, 3]


def test_the_number_of_queries_depends_on_the_batches(monkeypatch):
    def cost(count, *, batch):
        monkeypatch.setattr(contact_forecast, "BATCH", batch)
        rule = makers.rule()
        for _ in range(count):
            makers.due_debt(rule)
        makers.run()
        with CaptureQueriesContext(connection) as queries:
            contact_forecast.make_missing(now=NOW)
        return len(queries.captured_queries)

    cost(1, batch=1)  # It caches the policies.
    assert cost(2, batch=9) == cost(9, batch=9) < cost(9, batch=5)


def test_the_queries_of_a_dry_run_depend_on_the_batches():
    def cost(count):
        rule = makers.rule()
        for _ in range(count):
            makers.due_debt(rule)
        with CaptureQueriesContext(connection) as queries:
            makers.run(dry_run=True)
        return len(queries.captured_queries)

    cost(1)
    assert cost(2) == cost(9)


def test_the_runs_page_shows_it(supervisor):
    browser = Browser(supervisor)
    people(makers.rule())
    run = makers.run()
    page = browser.get(address(StrategyRun, "change", run.pk)).content.decode()
    assert "Not calculated yet." in page
    contact_forecast.make_missing(now=NOW)
    page = " ".join(browser.get(address(StrategyRun, "change", run.pk)).content.decode().split())

    for words in ("May go now", "2 DEBT_HELD", "1 OUTSIDE_WINDOW", "1 from 30 Jun 2026, 12:00"):
        assert words in page
