from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import tasks
from ddc.celery import app
from ddc.common.postgresql.batches import delete_in_batches

pytestmark = pytest.mark.django_db


def test_rows_are_deleted_in_batches_and_others_stay() -> None:
    now = timezone.now()
    Session.objects.bulk_create(
        Session(session_key=f"{number:032d}", expire_date=now + timedelta(hours=1 if number % 2 else -1))
        for number in range(14)
    )

    with CaptureQueriesContext(connection) as captured:
        assert delete_in_batches(Session.objects.filter(expire_date__lt=now), size=3) == 7

    assert Session.objects.count() == 7
    assert sum(query["sql"].startswith("DELETE") for query in captured.captured_queries) == 3


def test_expired_sessions_of_the_back_office_are_deleted_every_night() -> None:
    now = timezone.now()
    for number, hours in enumerate((-1, 1)):
        Session.objects.create(session_key=f"{number:032d}", expire_date=now + timedelta(hours=hours))

    tasks.delete_expired_sessions()

    assert Session.objects.get().session_key == f"{1:032d}"


def test_every_task_that_deletes_old_rows_is_scheduled() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    deleting = {name for name in app.tasks if name.split(".")[-1].startswith("delete_")}

    assert {"agents.tasks.delete_expired_sessions", "agents.tasks.delete_old_attempts"} <= deleting
    assert deleting <= scheduled
