"""Work through a worklist: open its items one after the other, with a bar that shows where the agent is."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now

from agents.models import Agent
from casework.worklists import BY_KIND, Position, Worklist

#: In the session: the kind of the worklist that the agent works through, and the id of the item that was opened.
_SESSION_KEY = "work"


@dataclass(frozen=True)
class Bar:
    """The item that an agent works on. ``is_open`` is false once it was dealt with."""

    worklist: Worklist
    item: Any
    position: Position
    is_open: bool

    @property
    def url(self) -> str:
        return self.worklist.url(self.item)

    @property
    def next_url(self) -> str:
        return self.worklist.next_url(self.item)

    @property
    def back_url(self) -> str:
        return self.worklist.back_url(self.item)


def work(request: HttpRequest, kind: str) -> HttpResponse:
    """Open the first item of a worklist, the one after the query's ``after``, or the one before its ``before``."""
    worklist, agent, moment = _worklist(request, kind), _agent(request), now()
    after, before = _item(worklist, request.GET.get("after")), _item(worklist, request.GET.get("before"))
    for left in filter(None, (after, before)):
        worklist.release(left, agent)
    if before is not None:
        found = worklist.previous(before, agent, now=moment)
        found = found if found is not None and worklist.claim(found, agent, now=moment) else before
    else:
        found = worklist.take(agent, now=moment, after=after)
    if found is None:
        return _end(request, worklist, was_working=after is not None)
    request.session[_SESSION_KEY] = [kind, str(found.pk)]
    return HttpResponseRedirect(worklist.url(found))


def leave(request: HttpRequest, kind: str) -> HttpResponse:
    """Stop working through a worklist."""
    found = bar(request)
    if found is not None:
        found.worklist.release(found.item, _agent(request))
    request.session.pop(_SESSION_KEY, None)
    return HttpResponseRedirect(reverse("admin:index"))


def bar(request: HttpRequest) -> Bar | None:
    """Return the agent's place in the worklist that was started, and renew the claim on its item."""
    kind, key = request.session.get(_SESSION_KEY, ("", ""))
    worklist, agent, moment = BY_KIND.get(kind), _agent(request), now()
    if worklist is None or not worklist.is_for(agent):
        return None
    waiting = worklist.rows(agent, now=moment).order_by().filter(pk=OuterRef("pk"))
    item = _item(worklist, key, is_waiting=Exists(waiting))
    if item is None:
        return None
    if item.is_waiting:
        worklist.claim(item, agent, now=moment)
    return Bar(worklist, item, worklist.position(item, agent, now=moment), item.is_waiting)


def works_on(request: HttpRequest, item: Any) -> bool:
    """Return whether this is the item that the agent works on, which the bar claims."""
    return bool(request.session.get(_SESSION_KEY, ("", ""))[1] == str(item.pk))


def next_after(request: HttpRequest, item: Any) -> str:
    """Return the URL of the next item if this is the one that the agent works on, else an empty text."""
    found = bar(request) if works_on(request, item) else None
    return found.next_url if found else ""


def _end(request: HttpRequest, worklist: Worklist, *, was_working: bool) -> HttpResponse:
    request.session.pop(_SESSION_KEY, None)
    words = "That was the last one." if was_working else "There is nothing to do now."
    messages.success(request, f"{worklist.title}: {words}")
    return HttpResponseRedirect(reverse("admin:index"))


def _worklist(request: HttpRequest, kind: str) -> Worklist:
    if kind not in BY_KIND:
        raise Http404
    if not BY_KIND[kind].is_for(_agent(request)):
        raise PermissionDenied
    return BY_KIND[kind]


def _item(worklist: Worklist, key: str | None, **annotations: Any) -> Any | None:
    """Return an item by its id, also if it was dealt with."""
    pk = worklist.model._meta.pk
    try:
        value = pk.to_python(key) if key and pk else None
    except ValidationError:
        return None
    rows = worklist.model._base_manager.select_related(*worklist.related).annotate(**annotations)
    return rows.filter(pk=value).first() if isinstance(value, UUID | int) else None


def _agent(request: HttpRequest) -> Agent:
    return request.user  # type: ignore[return-value]
