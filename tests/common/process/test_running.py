"""Which processes of the site run: seen by their connections, their answers and their ticks."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
import redis
from celery import Celery
from django.conf import settings

from ddc.common.process import running
from tests.deep import processes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PING_SECONDS", 0.2)
    monkeypatch.setattr(running, "_LISTEN_SECONDS", 1.0)


@pytest.fixture
def broker() -> Iterator[Celery]:
    with Celery(broker=settings.REDIS_URL) as app:
        app.conf.task_default_queue = "ddc"
        yield app
        app.control.purge()


def test_a_stopped_site_is_recognised():
    assert running.found() == []


def test_another_connection_to_the_database_is_named():
    url = processes.environment()["DATABASE_URL"]
    with psycopg.connect(url, application_name="report of an agent") as other:
        user = other.info.user
        assert running.found() == [f"connected to the database: report of an agent of {user}"]


def test_beat_is_recognised_by_its_ticks(broker: Celery):
    broker.send_task("communications.tasks.drain_outbox", ignore_result=True)  # An old tick is no sign of life.
    tick = threading.Timer(0.4, lambda: broker.send_task("communications.tasks.process_inbox", ignore_result=True))
    tick.start()
    try:
        assert running.found() == ["beat, or another program that sends tasks to the broker"]
    finally:
        tick.join()


def test_a_worker_is_recognised_by_its_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "_PING_SECONDS", 2.0)
    options = "-A ddc worker -Q ddc -n ddc@here -c 1 -l ERROR --without-mingle --without-gossip"
    with processes.start("-m", "celery", *options.split()) as worker:
        try:
            for _ in range(15):
                found = running.found()
                if any(name == "worker ddc@here" for name in found):
                    return
            raise AssertionError(found)
        finally:
            worker.terminate()


def test_without_a_broker_no_worker_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    assert running.found() == []
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(settings.REDIS_URL).ping()
