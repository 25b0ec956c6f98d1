"""Messages over HTTP."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from communications.outbox import outbox
from communications.sending import worker
from contact.models import Purpose
from tests import factories
from tests.communications.conftest import NOON

pytestmark = pytest.mark.django_db

FIELDS = """id debtorId debtId debtIds templateId communicationType direction status subject timestamp sentAt deliveredAt
    openedAt openCount expiresAt failureReason"""


def queue(**values):
    debt = values.pop("debt", None) or factories.debt()
    return outbox.queue(debtor=debt.debtor, debt=debt, **{"channel": "sms", "body": "x", "now": NOON} | values)


def test_a_list_shows_all_but_the_text(api):
    log = queue(template=factories.template(communication_type="sms"), body=None)

    (row,) = api.get("/communication-logs").json()["data"]

    assert row.keys() == set(FIELDS.split())
    assert row["templateId"] == str(log.template_id)
    assert row["timestamp"] == "2026-01-14T12:00:00.000Z"
    assert row["openCount"] == 0


def test_one_message_shows_its_text_with_the_code_masked(api, settings):
    settings.SMS_BACKEND = "demo"
    log = queue(body="Code {{otp_code}}", one_time_code_of=uuid.uuid4(), purpose=Purpose.CODE, debt=None)
    worker.drain(clock=lambda: NOON)

    answer = api.get(f"/communication-logs/{str(log.pk).upper()}").json()

    assert answer.keys() == {*FIELDS.split(), "body", "contactDecisions"}
    assert (answer["body"], answer["status"]) == ("Code ••••••", "sent")


def test_the_list_is_filtered(api):
    one, other = queue(), queue(channel="email", subject="x")

    def found(query):
        return {row["id"] for row in api.get(f"/communication-logs?{query}").json()["data"]}

    assert found(f"debtor_id={one.debtor_id}") == {str(one.pk)}
    assert found(f"debt_id={other.debt_id}") == {str(other.pk)}
    assert found("communication_type=email") == {str(other.pk)}
    assert found("status=sent") == set()
    assert found("status=queued") == {str(one.pk), str(other.pk)}
    assert api.get("/communication-logs?status=lost").status_code == 422
    assert api.get("/communication-logs?debtor_id=x").status_code == 422


def test_messages_are_not_written_by_hand(api):
    log = queue()

    assert api.post("/communication-logs", {}).status_code in (403, 405)
    assert api.delete(f"/communication-logs/{log.pk}").status_code in (403, 405)
    log.refresh_from_db()


@pytest.mark.usefixtures("remembered_roles")
def test_the_list_costs_the_same_queries_for_50_rows_as_for_1(api):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            api.get("/communication-logs?limit=100")
        return len(queries)

    queue()
    cost()
    one = cost()
    for _ in range(49):
        queue()
    assert cost() == one
