"""What web servers do when a part is away: say so soon, and go on when it is back. `make faults` shows more."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from ddc import celery
from ddc.common.observing import health
from ddc.common.postgresql import base, outage
from ddc.common.process import wake
from tests.journeys.site import free_port


@contextmanager
def silent(port: int = 0):
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server.getsockname()[1]


def test_a_server_that_says_nothing_hangs_and_one_that_is_gone_does_not():
    with silent() as port:
        began = time.monotonic()
        assert outage.is_hanging("127.0.0.1", port)
        assert time.monotonic() - began < 1
    assert not outage.is_hanging("127.0.0.1", free_port())
    database = settings.DATABASES["default"]
    assert not outage.is_hanging(database["HOST"], database["PORT"])


@pytest.fixture
def watched(db, monkeypatch):
    """A connection as web servers have it."""
    made = base.DatabaseWrapper({**connection.settings_dict, "DETECT_HANGS": True}, "default")
    outage.forget()
    yield made
    made.close()


def test_a_slow_statement_is_waited_for_while_the_server_lives(watched, monkeypatch):
    monkeypatch.setattr(base, "PROBE_AFTER_SECONDS", 0.1)
    with watched.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.6), 7")
        assert cursor.fetchone()[1] == 7


def test_a_connection_that_hangs_is_given_up_and_the_next_refused_at_once(watched, monkeypatch):
    monkeypatch.setattr(base, "PROBE_AFTER_SECONDS", 0.2)
    with watched.cursor() as cursor:
        cursor.execute("SELECT 1")
        monkeypatch.setattr(outage, "is_hanging", lambda host, port: True)
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="does not answer"):
            cursor.cursor.execute("SELECT pg_sleep(10)")
        assert time.monotonic() - began < 1
    watched.close()
    monkeypatch.setattr(outage, "is_hanging", lambda host, port: pytest.fail("nobody asks again so soon"))
    with pytest.raises(Exception, match="does not answer"):
        watched.connect()
    outage.forget()
    monkeypatch.setattr(outage, "is_hanging", lambda host, port: False)
    with watched.cursor() as cursor:
        cursor.execute("SELECT 2")
        assert cursor.fetchone() == (2,)


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["database", "broker"])
def test_health_answers_within_two_seconds_whatever_hangs(anonymous, settings, part, monkeypatch):
    with silent() as port:
        if part == "broker":
            settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        else:
            monkeypatch.setitem(settings.DATABASES, "default", {**settings.DATABASES["default"], "PORT": port})
        began = time.monotonic()
        answers = [anonymous.get("/health") for _ in range(2)]
        assert time.monotonic() - began < 4
    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer.json()[part] in ("no answer", "unreachable (TimeoutError)")
    other = {"database": "broker", "broker": "database"}[part]
    assert answers[0].json()[other] == "ok"


def hanging(asked):
    asked.execute("SELECT pg_sleep(20)")
    return ["never told"]


def broken(asked):
    raise KeyError


def test_details_that_hang_or_break_leave_the_site_healthy_and_the_other_details_shown(
    transactional_db, anonymous, monkeypatch
):
    notes = {"a": hanging, "b": broken, "c": hanging, "d": hanging, "providers_down": lambda asked: ["smtp"]}
    monkeypatch.setattr(health, "DETAILS", notes)
    began = time.monotonic()
    answer = anonymous.get("/health")
    assert time.monotonic() - began < 3
    assert (answer.status_code, answer.json()["status"], answer.json()["providersDown"]) == (200, "ok", ["smtp"])
    parts, told = health.check()
    assert (parts["database"], told) == ("ok", {"a": [], "b": [], "c": [], "d": [], "providers_down": ["smtp"]})


def test_a_question_that_hangs_is_not_asked_twice():
    release, asked = threading.Event(), []

    def question():
        asked.append(1)
        release.wait(5)

    part = health.Part(question)
    first = part.start()
    assert part.start() is first
    release.set()
    first.result(timeout=5)
    part.start().result(timeout=5)
    assert len(asked) == 2


def test_a_broker_that_hangs_holds_up_no_caller_and_tasks_go_out_once_it_is_back(monkeypatch):
    sent, hangs = [], threading.Event()

    def send_task(task, **options):
        if not hangs.is_set():
            hangs.wait(5)
            raise ConnectionError
        sent.append(task)

    monkeypatch.setattr(wake, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(celery.app, "send_task", send_task)
    publisher = wake.Publisher()
    began = time.monotonic()
    for _ in range(1000):
        publisher.enqueue("a.task", {})
    publisher.enqueue("another.task", {})
    assert time.monotonic() - began < 0.5
    hangs.set()
    assert publisher.drain(5)
    assert sorted(set(sent)) == ["a.task", "another.task"]
    assert len(sent) <= 3


def test_the_web_server_bounds_its_statements_and_commands_do_not():
    show = "from django.db import connection as c; k = c.cursor(); k.execute('SHOW statement_timeout'); print(k.fetchone()[0])"
    for first, expected in (("import ddc.wsgi", "15s"), ("import django; django.setup()", "0")):
        command = [sys.executable, "-W", "ignore", "-c", f"{first}; {show}"]
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "ddc.settings"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == expected
