"""The metrics at /metrics, and the token that they require."""

import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from communications.models import CommunicationLog
from communications.outbox import outbox
from contact.models import Purpose
from ddc.common.observing import metrics
from strategy.models import StrategyRun
from tests import factories

TOKEN = "a-token-of-the-test"


@pytest.fixture
def scrape(anonymous, settings):
    """Read the page as Prometheus does: the values by name and labels."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[tuple[str, ...], float]:
        answer = anonymous.get("/metrics", Authorization=f"Bearer {TOKEN}")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(answer.content.decode())
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}

    return read


@pytest.mark.django_db
def test_without_the_setting_the_page_does_not_exist(anonymous, api):
    assert anonymous.get("/metrics").status_code == 404
    assert api.get("/metrics", Authorization="Bearer ").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_without_the_token_nothing_is_shown(anonymous, settings, shown):
    settings.METRICS_TOKEN = TOKEN
    answer = anonymous.get("/metrics", **shown)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"ddc_" not in answer.content


@pytest.mark.django_db
def test_it_has_the_state_of_the_outbox(scrape):
    now = timezone.now()
    debt = factories.debt()
    for minutes, values in (
        (10, {}), (3, {"status": "postponed"}), (-60, {"status": "postponed"}), (1, {"purpose": Purpose.CODE}),
        (5, {"purpose": Purpose.ANSWER}),
        (0, {"status": "uncertain", "due_at": None}), (0, {"status": "sent", "due_at": None}),
    ):  # fmt: skip
        due = now - timedelta(minutes=minutes)
        log = outbox.queue(debtor=debt.debtor, channel="email", body="x", now=now)
        CommunicationLog.objects.filter(pk=log.pk).update(**{"due_at": due} | values)
    found = scrape()
    assert found["ddc_outbox_messages", "ddc", "queued"] == 1
    assert found["ddc_outbox_messages", "ddc", "postponed"] == 2
    assert found["ddc_outbox_messages", "fast", "queued"] == 2
    assert found["ddc_outbox_messages", "fast", "sending"] == 0
    assert found["ddc_outbox_oldest_due_seconds", "ddc"] == pytest.approx(600, abs=30)
    assert found["ddc_outbox_oldest_due_seconds", "fast"] == pytest.approx(300, abs=30)
    assert found["ddc_messages_uncertain",] == 1
    assert found["ddc_messages_last_day", "email", "sent"] == 1
    assert found["ddc_database_up",] == 1


@pytest.mark.django_db
def test_it_has_the_runs_by_status(scrape):
    assert scrape()["ddc_strategy_last_done_timestamp_seconds",] == 0
    now = timezone.now()
    StrategyRun.objects.create(status="done", date=now.date(), finished_at=now)
    StrategyRun.objects.create(status="failed", date=now.date(), finished_at=now)
    found = scrape()
    assert (found["ddc_strategy_runs", "done"], found["ddc_strategy_runs", "planned"]) == (1, 0)
    assert found["ddc_strategy_last_done_timestamp_seconds",] == pytest.approx(now.timestamp())


@pytest.mark.django_db
def test_it_has_the_duration_of_requests_by_route(scrape, api):
    debt = factories.debt()
    key = ("ddc_requests_total", "GET", "/debts/<id:pk>", "200")
    before = scrape().get(key, 0)
    api.get(f"/debts/{debt.pk}")
    found = scrape()
    assert found[key] == before + 1
    assert found["ddc_request_seconds_count", "GET", "/debts/<id:pk>"] == found[key]


@pytest.mark.django_db
def test_unknown_methods_and_paths_create_no_time_series(scrape, anonymous, api):
    def ask(number: int) -> set[tuple[str, ...]]:
        anonymous(f"MADE-UP-{number}", "/health")
        anonymous("BREW", f"/nothing/{number}")
        anonymous.get(f"/unsubscribe/{number}")
        anonymous.get(f"/track/open/{number}.gif")
        api.get(f"/debtors/{number}")
        return {key for key in scrape() if key[0].startswith("ddc_requests")}

    ask(0)
    before = ask(1)
    assert {key[1] for key in before} <= {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"}
    assert ask(2) == before


@pytest.fixture
def locked_circuits(transactional_db):
    """Another session locks a table."""
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE provider_circuit IN ACCESS EXCLUSIVE MODE")
    yield
    other.rollback()
    other.close()


def test_a_locked_table_costs_only_its_own_metrics(locked_circuits, scrape):
    found = scrape()
    assert found["ddc_database_up",] == 1
    assert found["ddc_messages_uncertain",] == 0
    assert found["ddc_strategy_runs", "done"] == 0
    assert not [key for key in found if key[0] == "ddc_provider_down"]


def slow():
    """A source with several slow statements."""
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        yield GaugeMetricFamily("ddc_slow", "x", 1)


def quick():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 7")
        yield GaugeMetricFamily("ddc_quick", "x", cursor.fetchone()[0])


def test_a_scrape_takes_two_seconds_however_many_sources_hang(transactional_db, scrape, monkeypatch):
    monkeypatch.setattr(metrics, "SOURCES", [slow, quick, slow, slow])
    began = time.monotonic()
    found = scrape()
    assert time.monotonic() - began < metrics.SCRAPE_SECONDS + 0.5
    assert (found["ddc_database_up",], found["ddc_quick",]) == (1, 7)
    assert ("ddc_slow",) not in found
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_database_that_does_not_answer_is_down(transactional_db, scrape, monkeypatch):
    def refuse(*_):
        raise DatabaseError

    monkeypatch.setattr("ddc.common.postgresql.timeouts.limit_until", refuse)
    found = scrape()
    assert found["ddc_database_up",] == 0
    assert ("ddc_messages_uncertain",) not in found
