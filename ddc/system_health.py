"""The back office's page on the state of the system, with buttons that check the database."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.timezone import now

from audit import checks
from audit.models import SystemCheck
from communications.models import UNFINISHED_STATUSES, CommunicationLog, MessageStatus, ProviderEvent
from communications.sending import circuits
from ddc.celery import app
from ddc.common.errors import DomainError
from ddc.common.observing import health
from ddc.common.process import live
from ddc.common.process.live import Progress
from strategy.models import StrategyRun

#: A queue is counted up to here.
_MOST = 10_000
#: A task that beat sends every few seconds is late after this time.
_LATE = timedelta(minutes=2)
_REFRESH_SECONDS = 3


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
            ("Queues", [*_queues()]),
            ("Workers and schedule", _ticks()),
            ("Providers", _providers()),
            ("Strategy", [_last_run()]),
        ],
        "checks": shown,
    }
    response = TemplateResponse(request, "admin/health.html", context)
    if any(check["is_open"] for check in shown):
        response["Refresh"] = str(_REFRESH_SECONDS)
    return response


def _services() -> list[Line]:
    parts, _ = health.check()
    return [Line(name.capitalize(), "Up" if state == "ok" else state, state == "ok") for name, state in parts.items()]


def _queues() -> list[Line]:
    unfinished = CommunicationLog.objects.filter(status__in=UNFINISHED_STATUSES, due_at__lte=now())
    return [
        _queue("Messages due", unfinished, "due_at", late=timedelta(hours=1)),
        _queue(
            "Callbacks to process", ProviderEvent.objects.filter(processed_at=None, failed_at=None), "received_at", late=_LATE
        ),
        _queue(
            "Uncertain messages", CommunicationLog.objects.filter(status=MessageStatus.UNCERTAIN), "created_at",
            late=timedelta(days=1),
        ),
    ]  # fmt: skip


def _queue(name: str, rows: QuerySet[Any], since: str, *, late: timedelta) -> Line:
    found = rows.order_by(since).values(since)[:_MOST].aggregate(count=Count("*"), oldest=Min(since))
    if not found["count"]:
        return Line(name, "None")
    number = f"{found['count']:,}" if found["count"] < _MOST else f"{_MOST:,} or more"
    return Line(name, f"{number}, the oldest for {timesince(found['oldest'])}", now() - found["oldest"] < late)


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


def _providers() -> list[Line]:
    known = circuits.known()
    lines = []
    for provider, circuit in sorted(known.items()):
        is_down = circuits.is_open(provider, known, now=now())
        words = f"Paused until {circuit.open_until:%H:%M:%S} UTC. {circuit.last_error or ''}" if is_down else "Sending"
        lines.append(Line(provider, words, not is_down))
    return lines or [Line("All", "None has failed yet")]


def _last_run() -> Line:
    run = StrategyRun.objects.filter(dry_run=False).order_by("-created_at").first()
    if run is None:
        return Line("Last run", "None yet")
    return Line("Last run", f"{run.date}: {run.get_status_display()}", run.status != StrategyRun.Status.FAILED)


def _check(kind: str, check: checks.Check) -> dict[str, Any]:
    """Describe a check with its newest result."""
    last = SystemCheck.objects.filter(kind=kind).first()
    is_open = last is not None and last.status in (SystemCheck.Status.PLANNED, SystemCheck.Status.RUNNING)
    return {
        "kind": kind,
        "check": check,
        "last": last,
        "is_open": is_open,
        "progress": Progress(last.pk).read() if last and is_open else "",
    }
