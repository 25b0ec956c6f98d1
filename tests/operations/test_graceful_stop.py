"""Web servers and workers that are asked to end finish what is in hand, and begin nothing new."""

import signal
import subprocess
import threading
import time
from collections import Counter
from decimal import Decimal

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from agents import api_tokens
from collection.models import LedgerEntry
from communications.models import CommunicationLog
from communications.outbox import outbox
from ddc.stack import web as web_server
from tests import factories
from tests.deep import processes
from tests.journeys.site import Answer, Site, free_port, is_up, wait_for
from tests.standins.smtp import SmtpStandIn
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def test_a_worker_finishes_the_message_in_hand_and_gives_the_others_back():
    debtor = factories.debtor()
    for _ in range(4):
        outbox.queue(debtor=debtor, channel="email", subject="s", body="x", now=timezone.now())
    with SmtpStandIn(delay=1.5) as smtp, Celery(broker=settings.REDIS_URL, set_as_current=False) as app:
        app.control.purge()
        env = processes.environment(EMAIL_URL=f"smtp://127.0.0.1:{smtp.port}", CONTACT_WINDOW="00:00-23:59")
        options = "-A ddc worker -Q ddc -c 1 -l ERROR --without-mingle --without-gossip"
        worker = processes.start("-m", "celery", *options.split(), env=env, start_new_session=True, **QUIET)
        try:
            app.send_task("communications.tasks.drain_outbox", queue="ddc", ignore_result=True)
            wait_for(lambda: smtp.mails, seconds=30)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=20) == 0
        finally:
            worker.kill()
    statuses = Counter(CommunicationLog.objects.values_list("status", flat=True))
    assert statuses == {"sent": len(smtp.mails), "queued": 4 - len(smtp.mails)}
    assert 1 <= len(smtp.mails) <= 2, "it began others after it was asked to end"


def test_a_web_server_answers_what_it_has_taken_and_counts_over_all_its_processes():
    debt = factories.debt(balance=Decimal(100))
    _, token = api_tokens.create(factories.agent(), now=timezone.now())
    port = free_port()
    env = processes.environment(METRICS_TOKEN="of-the-test")
    web = processes.start(
        "-W", "ignore", *web_server.command(port=port, workers=2, shutdown_seconds=10)[1:], env=env, **QUIET
    )
    try:
        with SmtpStandIn() as smtp, TwilioStandIn() as twilio:
            site = Site(f"http://127.0.0.1:{port}", smtp, twilio, env, token)
            wait_for(lambda: is_up(site), seconds=60)
            for _ in range(20):
                assert site("GET", "/segments").status == 200
            for _ in range(4):  # Whichever process answers, it tells of all.
                assert counted(site) == 20
            answer = pay_while_it_ends(site, web, debt)
        assert answer.status == 201
        assert web.wait(timeout=15) == 0
    finally:
        web.kill()
    assert LedgerEntry.objects.filter(debt=debt, kind="payment").count() == 1


def counted(site: Site) -> float:
    token, site.token = site.token, "of-the-test"
    page = site("GET", "/metrics").content.decode()
    site.token = token
    (line,) = [x for x in page.splitlines() if x.startswith('ddc_requests_total{method="GET",route="/segments"')]
    return float(line.split()[-1])


def pay_while_it_ends(site: Site, web: "subprocess.Popen[str]", debt) -> Answer:
    """Have a payment wait for the debt's lock, ask the server to end, and let the payment go on a second later."""
    answers: list[Answer] = []
    pay = threading.Thread(
        target=lambda: answers.append(site("POST", "/payments", {"debtId": str(debt.pk), "amount": 10}))
    )
    parameters = connection.get_connection_params()
    names = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters}
    with psycopg.connect(**names) as other:
        other.execute("SELECT 1 FROM debt WHERE id = %s FOR UPDATE", [debt.pk])
        pay.start()
        time.sleep(1)
        web.send_signal(signal.SIGTERM)
        time.sleep(1)
        assert not answers
        other.rollback()
    pay.join(10)
    return answers[0]
