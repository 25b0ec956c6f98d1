"""The figures of /metrics, and who may read them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from communications.models import CommunicationLog, Purpose
from communications.sending import outbox
from strategy.models import StrategyRun
from tests import factories

TOKEN = "a-token-of-the-test"


@pytest.fixture
def figures(anonymous, settings):
    """Read the page, as Prometheus does: the values by name and labels."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[tuple[str, ...], float]:
        answer = anonymous.get("/metrics", Authorization=f"Bearer {TOKEN}")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(answer.content.decode())
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}

    return read


@pytest.mark.django_db
def test_without_a_token_in_the_settings_there_is_no_such_page(anonymous, api):
    assert anonymous.get("/metrics").status_code == 404
    assert api.get("/metrics", Authorization="Bearer ").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_who_does_not_have_the_token_sees_nothing(anonymous, settings, shown):
    settings.METRICS_TOKEN = TOKEN
    answer = anonymous.get("/metrics", **shown)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"ddc_" not in answer.content


@pytest.mark.django_db
def test_it_tells_how_the_outbox_is(figures):
    now = timezone.now()
    debt = factories.debt()
    for minutes, values in (
        (10, {}), (3, {"status": "postponed"}), (-60, {"status": "postponed"}), (1, {"purpose": Purpose.SOLICITED}),
        (0, {"status": "uncertain", "due_at": None}), (0, {"status": "sent", "due_at": None}),
    ):  # fmt: skip
        due = now - timedelta(minutes=minutes)
        log = outbox.queue(debtor=debt.debtor, channel="email", body="x", now=now)
        CommunicationLog.objects.filter(pk=log.pk).update(**{"due_at": due} | values)
    found = figures()
    assert found["ddc_outbox_messages", "ddc", "queued"] == 1
    assert found["ddc_outbox_messages", "ddc", "postponed"] == 2
    assert found["ddc_outbox_messages", "fast", "queued"] == 1
    assert found["ddc_outbox_messages", "fast", "sending"] == 0
    assert found["ddc_outbox_oldest_due_seconds", "ddc"] == pytest.approx(600, abs=30)
    assert found["ddc_outbox_oldest_due_seconds", "fast"] == pytest.approx(60, abs=30)
    assert found["ddc_messages_uncertain",] == 1
    assert found["ddc_messages_last_day", "email", "sent"] == 1
    assert found["ddc_database_up",] == 1


@pytest.mark.django_db
def test_it_tells_how_the_runs_ended(figures):
    assert figures()["ddc_strategy_last_done_timestamp_seconds",] == 0
    now = timezone.now()
    StrategyRun.objects.create(status="done", date=now.date(), finished_at=now)
    StrategyRun.objects.create(status="failed", date=now.date(), finished_at=now)
    found = figures()
    assert (found["ddc_strategy_runs", "done"], found["ddc_strategy_runs", "planned"]) == (1, 0)
    assert found["ddc_strategy_last_done_timestamp_seconds",] == pytest.approx(now.timestamp())


@pytest.mark.django_db
def test_it_tells_how_long_requests_took_by_route(figures, api):
    debt = factories.debt()
    key = ("ddc_requests_total", "GET", "/debts/<id:pk>", "200")
    before = figures().get(key, 0)
    api.get(f"/debts/{debt.pk}")
    found = figures()
    assert found[key] == before + 1
    assert found["ddc_request_seconds_count", "GET", "/debts/<id:pk>"] == found[key]
