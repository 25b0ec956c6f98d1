"""The Celery app and its schedule.

All work is in PostgreSQL. A task is an idempotent tick without data ("drain the outbox"), so that a lost one costs time but
never a message. So tasks have no results and no ETA, and they expire.
"""

import os
from datetime import tzinfo
from typing import Any

from celery import Celery, Task
from celery.schedules import crontab
from celery.signals import task_postrun, task_prerun, worker_process_init, worker_shutting_down
from django.db import close_old_connections, connection

from ddc.common.postgresql import recorded
from ddc.common.postgresql.recorded import Actor
from ddc.common.process import live, shutdown, web_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")

app = Celery("ddc")
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 2, "visibility_timeout": 3600},
    task_ignore_result=True,
    task_publish_retry=False,
    task_serializer="json",
    accept_content=["json"],
    task_default_expires=60,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    task_default_queue="ddc",
    task_routes={
        "portal.tasks.*": {"queue": "fast"},
        "communications.tasks.send_awaited": {"queue": "fast"},
        "agents.tasks.send_password_links": {"queue": "fast"},
    },
)


class AgencyCrontab(crontab):
    """A schedule by the agency's clock. The back office may change its time zone while beat runs."""

    @property
    def tz(self) -> tzinfo:  # type: ignore[override]
        from ddc.common.days import agency_zone

        if not connection.in_atomic_block:
            close_old_connections()  # Django does so between requests, which beat has none of.
        return agency_zone()


def _tick(task: str, seconds: float) -> dict[str, object]:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.beat_schedule = {
    "drain-outbox": _tick("communications.tasks.drain_outbox", 5),
    "process-inbox": _tick("communications.tasks.process_inbox", 5),
    "expire-leases": _tick("communications.tasks.expire_leases", 30),
    "poll-providers": _tick("communications.tasks.poll_providers", 300),
    "handle-provider-events": _tick("payments.tasks.handle_provider_events", 5),
    "ask-payment-providers": _tick("payments.tasks.ask_providers", 60),
    "send-password-links": _tick("agents.tasks.send_password_links", 15),
    "answer-otp-requests": _tick("portal.tasks.answer_otp_requests", 5),
    "expire-holds": _tick("collection.tasks.expire_holds", 300),
    "follow-arrangements": _tick("arrangements.tasks.follow_arrangements", 300),
    "compact-open-totals": _tick("collection.tasks.compact_open_totals", 30),
    "run-system-checks": _tick("audit.tasks.run_system_checks", 15),
    "import-placements": _tick("collection.tasks.import_placements", 15),
    "measure-days": _tick("casework.tasks.measure_days", 120),
    "start-planned-runs": _tick("strategy.tasks.start_planned", 15),
    "forecast-contact": _tick("strategy.tasks.forecast_contact", 60),
    "daily": {
        "task": "strategy.tasks.run_daily",
        # Repeated all day: it is done once, and late if no worker ran at five.
        "schedule": AgencyCrontab(hour="5-23", minute="*/10"),
        "options": {"expires": 600},
    },
    "apply-interest-changes": _tick("collection.tasks.apply_interest_changes", 300),
    "post-interest": {
        "task": "collection.tasks.post_interest",
        # Repeated, so that a month end without a worker is made up for. The second run posts nothing.
        "schedule": crontab(day_of_month="1-3", hour="1-5", minute="15"),
        "options": {"expires": 3600},
    },
    **{
        f"nightly-{task}": {
            "task": task,
            "schedule": AgencyCrontab(hour="3", minute="30"),
            "options": {"expires": 3600},
        }
        for task in (
            "agents.tasks.delete_expired_tokens",
            "agents.tasks.delete_expired_sessions",
            "agents.tasks.delete_old_attempts",
            "collection.tasks.delete_unconfirmed_imports",
            "collection.tasks.hold_minors",
            "payments.tasks.delete_expired_keys",
            "casework.tasks.delete_ended_claims",
            "portal.tasks.delete_old_sessions",
            "portal.tasks.delete_expired_tokens",
        )
    },
}


def _begin_task(task: "Task[Any, Any]", **_: object) -> None:
    recorded.begin(Actor("system", "task", name=task.name))


def _end_task(task: "Task[Any, Any]", **_: object) -> None:
    recorded.end()
    live.tick(task.name)


task_prerun.connect(_begin_task)
task_postrun.connect(_end_task)
worker_process_init.connect(web_process.freeze_heap)
worker_shutting_down.connect(shutdown.request)

app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
