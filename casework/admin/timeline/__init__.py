"""The timeline of a person or a debt: messages, calls, money, requests, notes and changes in one stream, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.http import HttpRequest

from casework.admin.timeline import counts, messages, records
from casework.admin.timeline.events import Cursor, Event, Kind, Request
from casework.admin.words import Clocks, day
from collection.models import Debt
from debtors.models import Debtor

PAGE = 25


@dataclass(frozen=True)
class Timeline:
    """One page of a timeline. ``older`` is the cursor of the next one; None at the end."""

    events: list[Event]
    kind: Kind | None
    older: Cursor | None
    is_first: bool
    kinds: tuple[tuple[Kind, str], ...]
    clocks: Clocks
    today: date

    def days(self) -> Iterator[tuple[str, list[tuple[Event, str]]]]:
        """Yield the agency's days with their events, each with its time by both clocks."""
        for of_day, found in groupby(self.events, key=lambda event: self.clocks.day_here(event.at)):
            near = {self.today: "Today, ", self.today - timedelta(1): "Yesterday, "}.get(of_day, "")
            yield near + day(of_day), [(event, self.clocks.time(event.at)) for event in found]


def read(request: HttpRequest, debtor: Debtor, debt: Debt | None, clocks: Clocks, *, now: datetime) -> Timeline:
    """Return the page that the query asks for: ``kind`` filters, ``before`` is a cursor."""
    query: Any = request.GET
    kind = next((kind for kind in Kind if kind == query.get("kind")), None)
    before = Cursor.read(query.get("before", ""))
    agent: Any = request.user
    asked = Request(debtor, debt, kind, before, PAGE + 1, agent)
    rows = records.fetch(asked, counts.arms(asked))
    found = [*messages.events(asked, clocks), *records.events(asked, rows), *records.changes(asked, clocks)]
    found.sort(key=lambda event: (event.at, event.key), reverse=True)
    last = found[PAGE - 1] if len(found) > PAGE else None
    counted = counts.read(rows)
    kinds = tuple((kind, counted.get(kind, "0")) for kind in Kind if kind != Kind.CHANGES or asked.sees_changes)
    older = Cursor(last.at, last.key) if last else None
    return Timeline(found[:PAGE], kind, older, before is None, kinds, clocks, clocks.day_here(now))
