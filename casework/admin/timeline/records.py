"""Money, requests, notes and changes in a timeline.

Money, requests and notes are one query: the newest rows of each table, with the same columns, in one UNION.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, CharField, F, Model, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject, Right
from django.urls import reverse

from audit import describe
from audit.models import AuditEvent
from casework import identity, notes
from casework.admin.timeline.events import Action, Cursor, Event, Kind, Request
from casework.admin.words import Clocks, day, identity_words, name_of, sum_of
from casework.models import FollowUp, IdentityCheck, Note
from collection.models import DeferralRequest, Dispute, HoldEvent, LedgerEntry
from collection.models.holds import Hold

#: The tables whose rows the timeline shows themselves.
_SHOWN_ELSEWHERE = tuple(model._meta.db_table for model in (Note, FollowUp, IdentityCheck, DeferralRequest))

Maker = Callable[[Request, datetime, uuid.UUID, dict[str, Any]], Event]


def fetch(asked: Request, more: Iterable[Any]) -> list[Any]:
    """Return the rows of ``arms_of``, and those of other queries with the same columns, by one query."""
    first, *rest = [*arms_of(asked, _arm), *more]
    return list(first.union(*rest, all=True))


def events(asked: Request, rows: Iterable[Any]) -> list[Event]:
    """Return ledger entries, requests, what happened to holds, notes and follow-ups."""
    return [_MAKERS[what](asked, at, key, data) for what, key, at, data in rows if what in _MAKERS]


def arms_of(asked: Request, arm: Callable[..., Any]) -> Iterator[Any]:
    """Yield what ``arm`` makes of each table: of its model, the field of its time, its condition and its data."""
    of_debt = Q(debt=asked.debt) if asked.debt else Q(debt__debtor=asked.debtor)
    if asked.wants(Kind.MONEY):
        yield arm(asked, LedgerEntry, "posted_at", of_debt, {
            "debt": _label("debt"), "kind": F("kind"), "amount": Cast("amount", CharField()), "cause": F("cause"),
            "currency": F("currency_code"), "on": F("value_date"), "by": name_of("by"),
            "payment": F("payment_id"), "reversed": F("reversed_by"),
        })  # fmt: skip
    if asked.wants(Kind.REQUESTS):
        yield arm(asked, DeferralRequest, "created_at", of_debt, {
            "debt": _label("debt"), "days": F("requested_deferral_days"), "text": F("reason"), "status": F("status"),
            "by": name_of("reviewer"), "on": F("reviewed_at"), "answer": F("review_notes"),
        })  # fmt: skip
        yield arm(asked, Dispute, "received_at", of_debt, {
            "debt": _label("debt"), "text": F("reason"), "status": F("status"), "by": name_of("decided_by"),
            "on": F("decided_at"), "answer": F("answer"),
        })  # fmt: skip
        of_hold = Q(hold__debt=asked.debt) if asked.debt else Q(hold__debt__debtor=asked.debtor)
        # A deferral or a dispute is an event itself.
        own = Q(hold__deferral_request=None, hold__dispute=None)
        yield arm(asked, HoldEvent, "at", (of_hold | Q(hold__debtor=asked.debtor)) & own, {
            "debt": _label("hold__debt"), "hold": F("hold"), "reason": F("hold__reason"), "status": F("kind"),
            "text": F("why"), "by": name_of("by"), "on": F("ends_on"),
        })  # fmt: skip
    if asked.wants(Kind.CALLS):
        yield arm(asked, IdentityCheck, "created_at", Q(debtor=asked.debtor), {
            **{each: F(each) for each in identity.QUESTIONS}, "by": name_of("by"),
        })  # fmt: skip
    if asked.wants(Kind.NOTES):
        # Notes are on the person, also in the timeline of a debt.
        yield arm(asked, Note, "created_at", Q(debtor=asked.debtor), {
            "text": F("text"), "author": F("by"), "by": name_of("by"), "pinned": F("pinned"),
            "struck_by": name_of("struck_by"), "on": F("struck_at"),
        })  # fmt: skip
        about = Q(debt=asked.debt) | Q(debt=None) if asked.debt else Q()
        yield arm(asked, FollowUp, "created_at", Q(debtor=asked.debtor) & about, {
            "text": F("text"), "set_by": name_of("by"), "due": F("due_on"), "owner": name_of("owner"),
            "status": F("outcome"), "by": name_of("closed_by"), "on": F("closed_at"), "answer": F("closing_note"),
        })  # fmt: skip


def _arm(asked: Request, model: type[Model], time: str, of: Q, data: dict[str, Any]) -> Any:
    """Return the newest rows of one table as the columns that all have: table, id, time and the rest as JSON."""
    rows = model._default_manager.filter(of & asked.earlier(time)).order_by(f"-{time}", "-pk")
    what = Value(model._meta.label, output_field=CharField())
    values = rows.annotate(_what=what, _at=F(time), _data=JSONObject(**data)).values_list("_what", "pk", "_at", "_data")
    return values[: asked.limit]


def _label(path: str) -> Case:
    """Return the label of a debt, as ``str(debt)`` has it; None without a debt."""
    short = Concat(Value("Debt "), Right(Cast(f"{path}__id", CharField()), 6))
    return Case(
        When(**{f"{path}__isnull": True}, then=Value(None, output_field=CharField())),
        default=Coalesce(F(f"{path}__external_reference"), short, output_field=CharField()),
    )


KINDS = {
    LedgerEntry._meta.label: Kind.MONEY,
    DeferralRequest._meta.label: Kind.REQUESTS,
    Dispute._meta.label: Kind.REQUESTS,
    HoldEvent._meta.label: Kind.REQUESTS,
    IdentityCheck._meta.label: Kind.CALLS,
    Note._meta.label: Kind.NOTES,
    FollowUp._meta.label: Kind.NOTES,
}

# --- Events of rows


def entry_words(kind: str, cause: dict[str, Any]) -> str:
    """Describe a ledger entry: ``Payment by card``, ``Reversal``."""
    method = str(cause.get("paymentMethod") or "").replace("_", " ")
    by_method = f" by {method}" if kind == LedgerEntry.Kind.PAYMENT and method and method != "other" else ""
    return f"{'Placed' if kind == LedgerEntry.Kind.PLACEMENT else LedgerEntry.Kind(kind).label}{by_method}"


def _entry(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    is_payment = data["kind"] == LedgerEntry.Kind.PAYMENT
    value = Decimal(data["amount"])
    page = reverse("admin:collections_ledgerentry_change", args=[key])
    detail = f"Value date {_day_of(data['on'])}" + (f", by {data['by']}" if data["by"] else "")
    shown = sum_of(abs(value) if is_payment else value, data["currency"])
    title = f"{entry_words(data['kind'], data['cause'])}: {shown} on {data['debt']}"
    tone = "good" if is_payment else "warn" if data["kind"] == LedgerEntry.Kind.REVERSAL else ""
    actions: tuple[Action, ...] = ()
    if is_payment and not data["reversed"] and asked.agent.has_perm("payments.reverse_payment"):
        undo = reverse("admin:payments_payment_reverse", args=[data["payment"]])
        actions = (Action("Reverse", f"{undo}?{urlencode({'back': asked.page})}"),)
    return Event(at, key, "payments", title, page, detail, tone=tone, actions=actions)


def _deferral(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    page = reverse("admin:collections_deferralrequest_change", args=[key])
    is_open = data["status"] == DeferralRequest.Status.PENDING
    detail = "Waiting for a decision" if is_open else _decided(DeferralRequest.Status(data["status"]).label, data)
    title = f"Asked for {data['days']} days on {data['debt']}"
    actions = (Action("Decide", page),) if is_open else ()
    tone = "warn" if is_open else ""
    return Event(at, key, "hourglass_top", title, page, detail, data["text"], tone, actions=actions)


def _dispute(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    page = reverse("admin:collections_dispute_change", args=[key])
    status = Dispute.Status(data["status"])
    is_open = status in Dispute.OPEN
    detail = status.label if is_open else _decided(status.label, data)
    actions = (Action("Work on it", page),) if is_open else ()
    tone = "warn" if is_open else ""
    return Event(at, key, "balance", f"Disputed {data['debt']}", page, detail, data["text"], tone, actions=actions)


def _hold(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    page = reverse("admin:collections_hold_change", args=[data["hold"]])
    reason, kind = Hold.Reason(data["reason"]).label, HoldEvent.Kind(data["status"]).label.lower()
    title = f"Hold {kind}: {reason}" + (f", on {data['debt']}" if data["debt"] else "")
    parts = [f"until {_day_of(data['on'])}"] if data["on"] else []
    parts += [f"by {data['by']}"] if data["by"] else []
    return Event(at, key, "pause_circle", title, page, _sentence(", ".join(parts)), data["text"] or "")


def _identity(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    tone = "good" if identity.passed(data) else "warn"
    return Event(at, key, "badge", identity_words(data), detail=f"Checked by {data['by'] or 'the system'}", tone=tone)


def _note(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    def page(name: str) -> str:
        return reverse(f"admin:casework_note_{name}", args=[key])

    title, is_struck = f"Note by {data['by'] or 'the system'}", data["on"] is not None
    detail = f"Struck out by {data['struck_by']}, {_day_of(data['on'])}" if is_struck else ""
    author = uuid.UUID(data["author"]) if data["author"] else None
    actions = []
    if not is_struck and asked.agent.has_perm("casework.change_note"):
        actions.append(Action("Unpin", page("unpin")) if data["pinned"] else Action("Pin", page("pin")))
    if not is_struck and notes.may_strike_out(Note(by_id=author), asked.agent):
        actions.append(Action("Strike out", page("strike_out")))
    return Event(
        at, key, "edit_note", title, page("change"), detail, data["text"], is_struck=is_struck, actions=tuple(actions)
    )


def _follow_up(asked: Request, at: datetime, key: uuid.UUID, data: dict[str, Any]) -> Event:
    page = reverse("admin:casework_followup_change", args=[key])
    detail = f"For {data['owner'] or 'any agent'}, set by {data['set_by'] or 'the system'}"
    if data["status"]:
        detail = _decided(_sentence(FollowUp.Outcome(data["status"]).label), data)
    return Event(at, key, "event", f"Follow-up for {_day_of(data['due'])}: {data['text']}", page, detail)


_MAKERS: dict[str, Maker] = {
    LedgerEntry._meta.label: _entry,
    DeferralRequest._meta.label: _deferral,
    Dispute._meta.label: _dispute,
    HoldEvent._meta.label: _hold,
    IdentityCheck._meta.label: _identity,
    Note._meta.label: _note,
    FollowUp._meta.label: _follow_up,
}


def _decided(word: str, data: dict[str, Any]) -> str:
    text = f"{word} by {data['by']}" if data["by"] else word
    if data["on"]:
        text += f", {_day_of(data['on'])}"
    return f"{text}: {data['answer']}" if data["answer"] else text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _day_of(text: str) -> str:
    """Write the day of a date or time that JSON has as text."""
    return day(datetime.fromisoformat(text))


# --- The change log


def changes(asked: Request, clocks: Clocks) -> list[Event]:
    """Return changes of the person's data, for those who may see them, by the times in their ids."""
    if not asked.sees_changes or not asked.wants(Kind.CHANGES):
        return []
    rows = changes_of(asked)
    if asked.before:
        rows = rows.filter(pk__lt=_first_not_before(asked.before))
    return [_change(row) for row in rows.order_by("-id")[: asked.limit]]


def changes_of(asked: Request) -> QuerySet[AuditEvent]:
    """Return the recorded changes of a person's data that the timeline shows."""
    return AuditEvent.objects.filter(person_id=asked.debtor.pk).exclude(table_name__in=_SHOWN_ELSEWHERE)


def _change(event: AuditEvent) -> Event:
    page = reverse("admin:audit_auditevent_change", args=[event.pk])
    title = f"{describe.table(event)} {event.get_operation_display()} by {describe.actor(event)}"
    return Event(_moment_of(event.pk), event.pk, "history", title, page, describe.summary(event))


def _moment_of(key: uuid.UUID) -> datetime:
    """Return the time in a UUID of version 7, in whole milliseconds."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)


def _first_not_before(cursor: Cursor) -> uuid.UUID:
    """Return the smallest id whose event, by the time in it, comes at or after the cursor."""
    microseconds = round(cursor.at.timestamp() * 1_000_000)
    milliseconds, rest = divmod(microseconds, 1000)
    floor, ceiling = uuid.UUID(int=milliseconds << 80), uuid.UUID(int=(milliseconds + 1) << 80)
    return ceiling if rest else max(floor, min(cursor.key, ceiling))
