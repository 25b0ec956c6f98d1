"""The back office's page on the state of the system, with buttons that check the database."""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.timezone import now

from audit import checks
from audit.models import SystemCheck
from communications.models import UNFINISHED_STATUSES, CommunicationLog, MessageStatus, ProviderEvent
from communications.sending import circuits
from ddc.celery import app
from ddc.common.admin.pages import when
from ddc.common.errors import DomainError
from ddc.common.observing import health
from ddc.common.process import live
from ddc.common.process.live import Progress
from strategy.models import StrategyRun

#: A queue is counted up to here.
_MOST = 10_000
# Reads a queue up to its bound.
_QUEUE = "SELECT {number}, count(*), min(waiting.since) FROM ({rows}) AS waiting (since)"
#: A task that beat sends every few seconds is late after this time.
_LATE = timedelta(minutes=2)


@dataclass(frozen=True)
class Line:
    """A part of the system, its state in words, and whether somebody should look at it."""

    name: str
    state: str
    is_well: bool = True


def system_health(request: HttpRequest) -> HttpResponse:
    """Show the state of all parts; a POST with the name of a check has a worker carry it out."""
    if not request.user.has_perm(checks.PERMISSION):
        raise PermissionDenied
    if request.method == "POST":
        user: Any = request.user
        try:
            checks.ask(request.POST.get("check", ""), agent_name=user.username)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("system-health"))
    shown = [_check(kind, check) for kind, check in checks.known().items()]
    context = {
        **admin.site.each_context(request),
        "title": "System health",
        "sections": [
            ("Services", [*_services()]),
            ("Queues", queues()),
            ("Workers and schedule", _ticks()),
            ("Providers", providers()),
            ("Strategy", [_last_run()]),
        ],
        "checks": shown,
    }
    return TemplateResponse(request, "admin/health.html", context)


def check_progress(request: HttpRequest, check_id: uuid.UUID) -> HttpResponse:
    """Answer the progress of a check in words, and 204 once it has ended."""
    if not request.user.has_perm(checks.PERMISSION):
        raise PermissionDenied
    check = get_object_or_404(SystemCheck, pk=check_id)
    return HttpResponse(_progress(check), content_type="text/plain") if _is_open(check) else HttpResponse(status=204)


def _services() -> list[Line]:
    parts, _ = health.check()
    return [Line(name.capitalize(), "Up" if state == "ok" else state, state == "ok") for name, state in parts.items()]


def queues() -> list[Line]:
    """Return how many messages and callbacks wait, and for how long; one query."""
    waiting = (
        (
            "Messages due",
            CommunicationLog,
            Q(status__in=UNFINISHED_STATUSES, due_at__lte=now()),
            "due_at",
            timedelta(hours=1),
        ),
        ("Callbacks to process", ProviderEvent, Q(processed_at=None, failed_at=None), "received_at", _LATE),
        ("Uncertain messages", CommunicationLog, Q(status=MessageStatus.UNCERTAIN), "created_at", timedelta(days=1)),
    )
    arms, values = [], []
    for number, (_, model, condition, since, _) in enumerate(waiting):
        rows = model.objects.filter(condition).order_by(since).values_list(since)[:_MOST]  # type: ignore[attr-defined]
        sql, parameters = rows.query.sql_with_params()
        arms.append(_QUEUE.format(number=number, rows=sql))
        values += parameters
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(arms) + " ORDER BY 1", values)
        found = cursor.fetchall()
    return [
        _queue(name, count, oldest, late=late)
        for (name, *_, late), (_, count, oldest) in zip(waiting, found, strict=True)
    ]


def _queue(name: str, count: int, oldest: datetime | None, *, late: timedelta) -> Line:
    if oldest is None:
        return Line(name, "None")
    number = f"{count:,}" if count < _MOST else f"{_MOST:,} or more"
    return Line(name, f"{number}, the oldest for {timesince(oldest)}", now() - oldest < late)


def _ticks() -> list[Line]:
    """Tell for each task when a worker ended it last. Beat sends most of them every few seconds."""
    ended = live.last_ticks()
    lines = []
    for entry in app.conf.beat_schedule.values():
        task, period = entry["task"], entry["schedule"]
        _, _, name = task.rpartition(".")
        late = timedelta(seconds=3 * period) + _LATE if isinstance(period, int | float) else timedelta(days=2)
        if task not in ended:
            lines.append(
                Line(_words(name), "Never, or not since the broker was emptied", not isinstance(period, int | float))
            )
            continue
        ago = timedelta(seconds=max(time.time() - ended[task], 0))
        lines.append(Line(_words(name), f"Last done {_ago(ago)} ago", ago < late))
    return lines


def _ago(ago: timedelta) -> str:
    seconds = int(ago.total_seconds())
    return f"{seconds} seconds" if seconds < 120 else timesince(now() - ago)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def providers() -> list[Line]:
    """Return the state of each provider that has failed once."""
    known = circuits.known()
    lines = []
    for provider, circuit in sorted(known.items()):
        is_down = circuits.is_open(provider, known, now=now())
        words = (
            f"Paused until {when(circuit.open_until, seconds=True)}. {circuit.last_error or ''}"
            if is_down
            else "Sending"
        )
        lines.append(Line(provider, words, not is_down))
    return lines or [Line("All providers", "None has failed yet")]


def _last_run() -> Line:
    run = StrategyRun.objects.filter(dry_run=False).order_by("-created_at").first()
    if run is None:
        return Line("Last run", "None yet")
    return Line("Last run", f"{run.date}: {run.get_status_display()}", run.status != StrategyRun.Status.FAILED)


def last_results() -> list[Line]:
    """Return the result of each check that was completed last, by an agent's request."""
    ended = SystemCheck.objects.exclude(finished_at=None).order_by("kind", "-id").distinct("kind").defer("findings")
    by_kind = {one.kind: one for one in ended}
    return [_result(check.title, by_kind.get(kind)) for kind, check in checks.known().items()]


def _result(title: str, last: SystemCheck | None) -> Line:
    if last is None:
        return Line(title, "Not checked here yet", is_well=False)
    found = last.error or (f"{last.found:,} differences" if last.found else "no difference")
    return Line(title, f"{when(last.finished_at)}: {found}", not last.error and not last.found)


def _check(kind: str, check: checks.Check) -> dict[str, Any]:
    """Describe a check with its newest result."""
    last = SystemCheck.objects.filter(kind=kind).first()
    is_open = last is not None and _is_open(last)
    progress = _progress(last) if last and is_open else ""
    return {"kind": kind, "check": check, "last": last, "is_open": is_open, "progress": progress}


def _is_open(check: SystemCheck) -> bool:
    return check.status in (SystemCheck.Status.PLANNED, SystemCheck.Status.RUNNING)


def _progress(check: SystemCheck) -> str:
    state, progress = check.get_status_display().capitalize(), Progress(check.pk).read()
    return f"{state}: {progress}" if progress else state
