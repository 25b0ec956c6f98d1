"""The page on the state of the system: what waits, what is late, and checks of the database by a worker."""

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils.timezone import now

from audit import checks
from audit.models import SystemCheck
from audit.tasks import run_system_checks
from collection.models import Debt
from communications.models import Circuit, CommunicationLog
from ddc.celery import app
from ddc.common.postgresql.advisory_locks import AdvisoryLock
from ddc.common.process import live
from ddc.common.process.live import Progress
from tests import factories
from tests.admin.conftest import Browser, address, said

pytestmark = pytest.mark.django_db
PAGE = "/admin/health/"


def text(browser: Browser) -> str:
    return " ".join(browser.get(PAGE).content.decode().split())


def lines(browser: Browser) -> dict[str, Any]:
    return {line.name: line for _, found in browser.get(PAGE).context["sections"] for line in found}


def test_it_shows_what_waits_and_since_when(supervisor_at_desk: Browser):
    assert lines(supervisor_at_desk)["Messages due"].state == "None"
    CommunicationLog.objects.create(
        debtor=factories.debtor(), communication_type="sms", status="queued", due_at=now() - timedelta(hours=3)
    )
    line = lines(supervisor_at_desk)["Messages due"]
    assert line.state.startswith("1, the oldest for 3")
    assert not line.is_well


def test_it_shows_services_providers_and_the_last_run(supervisor_at_desk: Browser):
    Circuit.objects.create(provider="twilio", failures=9, open_until=now() + timedelta(minutes=1), last_error="Refused")
    found = lines(supervisor_at_desk)
    assert (found["Database"].state, found["Broker"].state) == ("Up", "Up")
    assert "Paused until" in found["twilio"].state
    assert not found["twilio"].is_well
    assert found["Last run"].state == "None yet"


def test_a_task_that_no_worker_ends_is_late(supervisor_at_desk: Browser, monkeypatch: pytest.MonkeyPatch):
    live.tick("communications.tasks.drain_outbox")
    assert lines(supervisor_at_desk)["Drain outbox"].is_well
    ages = {"communications.tasks.drain_outbox": now().timestamp() - 600}
    monkeypatch.setattr(live, "last_ticks", lambda: ages)
    late = lines(supervisor_at_desk)["Drain outbox"]
    assert late.state == "Last done 10\xa0minutes ago"
    assert not late.is_well


def test_a_worker_that_ends_a_task_leaves_its_time():
    run_system_checks.apply()
    assert now().timestamp() - live.last_ticks()["audit.tasks.run_system_checks"] < 10
    assert "run-system-checks" in app.conf.beat_schedule


@pytest.mark.parametrize("kind", ["ledger", "messages", "triggers"])
def test_a_check_is_carried_out_by_a_worker_and_its_result_kept(supervisor_at_desk: Browser, kind: str):
    factories.debt()
    assert supervisor_at_desk.post(PAGE, {"check": kind})["Location"] == PAGE
    progress = f"{PAGE}{SystemCheck.objects.get().pk}/"
    assert f'data-live="{progress}" role="status" aria-live="polite">Waits for a worker<' in text(supervisor_at_desk)
    Progress(SystemCheck.objects.get().pk).report("half of it")
    assert "half of it" in text(supervisor_at_desk)
    assert supervisor_at_desk.get(progress).content.decode() == "Waits for a worker: half of it"

    assert checks.work(clock=now) == 1
    check = SystemCheck.objects.get()
    assert (check.status, check.found, check.agent_name) == ("done", 0, supervisor_at_desk.agent.username)
    assert "no difference." in text(supervisor_at_desk)
    assert "data-live" not in text(supervisor_at_desk)
    assert supervisor_at_desk.get(progress).status_code == 204


@pytest.mark.owner
def test_a_difference_is_found_and_shown(supervisor_at_desk: Browser):
    debt = factories.debt()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Debt.objects.filter(pk=debt.pk).update(original_balance=5)
        cursor.execute("SET session_replication_role = DEFAULT")
    supervisor_at_desk.post(PAGE, {"check": "ledger"})
    checks.work(clock=now)

    check = SystemCheck.objects.get()
    assert check.found
    assert f"⚠ {check.found} difference" in text(supervisor_at_desk)
    assert str(debt.pk) in supervisor_at_desk.get(address(SystemCheck, "change", check.pk)).content.decode()


def test_the_same_check_does_not_run_twice_at_once(supervisor_at_desk: Browser):
    supervisor_at_desk.post(PAGE, {"check": "ledger"})
    supervisor_at_desk.post(PAGE, {"check": "ledger"})
    assert said(supervisor_at_desk.get(PAGE)) == ["This check is under way already. Wait for its result."]
    assert SystemCheck.objects.count() == 1
    with psycopg.connect(**connection.get_connection_params()) as another:
        another.execute("SELECT pg_advisory_lock(hashtextextended('', %s))", [AdvisoryLock.SYSTEM_CHECK.number])
        assert checks.work(clock=now) == 0
        another.execute("SELECT pg_advisory_unlock_all()")
    SystemCheck.objects.update(status="running")  # As a worker that died leaves it.
    assert checks.work(clock=now) == 1


def test_an_unknown_check_is_refused(supervisor_at_desk: Browser):
    supervisor_at_desk.post(PAGE, {"check": "nothing"})
    assert said(supervisor_at_desk.get(PAGE)) == ["There is no such check."]


def test_the_page_is_for_supervisors(agent_at_desk: Browser, auditor_at_desk: Browser, supervisor_at_desk: Browser):
    for browser in (agent_at_desk, auditor_at_desk):
        assert browser.get(PAGE).status_code == 403
        assert browser.get(f"{PAGE}{uuid.uuid4()}/").status_code == 403
        assert browser.post(PAGE, {"check": "ledger"}).status_code == 403
        assert PAGE not in browser.get("/admin/").content.decode()
    assert PAGE in supervisor_at_desk.get("/admin/").content.decode()
    assert not SystemCheck.objects.exists()
