"""Worklists: what waits for an agent, the most urgent first, and the way from one item to the next.

Another kind of work is one more row of ``WORKLISTS``. Items that another agent has claimed, or whose person another agent has
claimed, are left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet
from django.urls import reverse

from agents.models import Agent
from arrangements.models import Arrangement
from casework import claims
from casework.models import DUE, FollowUp, SupportRequest, WorkClaim
from collection import deferral_limits
from collection.holds.reasons import AWAITING_APPROVAL, DUE_FOR_REVIEW
from collection.models import DeferralRequest, Dispute, Hold, ParkedPlacement
from communications.calls import start
from communications.models import AsksFor, CallTask, InboundMessage, ProviderEvent, UncertainMessage
from communications.outbox import may_go
from contact.engine.decision import Verdict
from ddc.common.days import agency_today, working_days_before
from debtors.models import Debtor
from payments.models import Receipt, Refund

#: Items are counted up to here, and then shown as "1,000 or more".
MAX_COUNT = 1_000
#: So many items at a time are asked whether they may be worked on now.
BATCH = 25
#: The home page asks for so many calls, the oldest, whether they may be made now.
CALLS_ASKED = 50

DEFERRAL_WORKING_DAYS, DISPUTE_DAYS = 2, 14
#: For so many days agents call those whose arrangement is broken.
BROKEN_DAYS = 7


@dataclass(frozen=True)
class Position:
    """The place of an item among those that wait, from 1; both numbers end at ``MAX_COUNT``."""

    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.number:,} of {self.total:,}" + (" or more" if self.total == MAX_COUNT else "")


def _anyone(agent: Agent, now: datetime) -> Q:
    return Q()


def _all(items: Sequence[Any], now: datetime) -> list[Any]:
    return list(items)


@dataclass(frozen=True)
class Worklist:
    """One kind of work.

    :param kind: its name in URLs
    :param permission: who may do it
    :param waiting: the condition of the items that wait
    :param order: the field whose smallest value is most urgent, of equal ones the smallest id; an index has both
    :param people: the references to the item's person
    :param debt: the reference to the debt of which the open balance is shown
    :param mine: the condition of the items that an agent may take
    :param late: the condition of items that are late, and how the page calls them
    :param has_legal_clock: late means that a period of the law, or one promised to the debtor, runs out
    :param allowed: returns those of a few items that may be worked on now
    :param is_claimed: the items have UUIDs, and one agent at a time works on each
    """

    kind: str
    title: str
    icon: str
    model: type[Model]
    permission: str
    waiting: Q
    order: str = "created_at"
    people: tuple[str, ...] = ("debtor",)
    debt: str = "debt"
    filters: str = ""
    mine: Callable[[Agent, datetime], Q] = _anyone
    late: Callable[[datetime], Q] | None = None
    late_words: str = ""
    has_legal_clock: bool = False
    allowed: Callable[[Sequence[Any], datetime], list[Any]] = _all
    related: tuple[str, ...] = ()
    is_claimed: bool = True

    def is_for(self, agent: Agent) -> bool:
        """Return whether the agent may do this work."""
        return agent.has_perm(self.permission)

    def rows(self, agent: Agent, *, now: datetime) -> QuerySet[Any]:
        """Return the items that the agent may take, the most urgent first."""
        rows = self.model._default_manager.filter(self.waiting, self.mine(agent, now))
        others = WorkClaim.objects.filter(seen_at__gt=now - claims.LASTS).exclude(agent=agent.pk)
        if self.is_claimed:
            rows = rows.filter(~Exists(others.filter(item_type=self.model._meta.label, item_id=OuterRef("pk"))))
        for person in self.people:
            rows = rows.filter(~Exists(others.filter(item_type=Debtor._meta.label, item_id=OuterRef(person))))
        return rows.order_by(self.order, "pk")

    def position(self, item: Any, agent: Agent, *, now: datetime) -> Position:
        """Return where an item stands; one that waits no longer keeps the place that it had."""
        rows = self.rows(agent, now=now).values(self.order, "pk")[:MAX_COUNT]
        counted = rows.aggregate(total=Count("pk"), before=Count("pk", filter=self._before(item) or Q(pk=None)))
        return Position(min(counted["before"] + 1, max(counted["total"], 1)), max(counted["total"], 1))

    def next_after(self, item: Any | None, agent: Agent, *, now: datetime) -> Any | None:
        """Return the next item that may be worked on now, or None; without an item the first one."""
        return next(self._following(item, agent, now), None)

    def previous(self, item: Any, agent: Agent, *, now: datetime) -> Any | None:
        """Return the item before this one, or None if this one is the first."""
        if not (before := self._before(item)):
            return None
        return next(self._allowed(self.rows(agent, now=now).filter(before).reverse(), now), None)

    def take(self, agent: Agent, *, now: datetime, after: Any | None = None) -> Any | None:
        """Claim the next item for the agent, and return it. Two agents at once get different items."""
        return next((item for item in self._following(after, agent, now) if self.claim(item, agent, now=now)), None)

    def claim(self, item: Any, agent: Agent, *, now: datetime) -> bool:
        """Claim an item, or renew the agent's claim; return whether it is the agent's."""
        return not self.is_claimed or claims.claim(item, by=agent, now=now).agent_id == agent.pk

    def release(self, item: Any, agent: Agent) -> None:
        """End the agent's claim on an item."""
        if self.is_claimed:
            claims.release(item, by=agent)

    def url(self, item: Any) -> str:
        """Return the page on which the item is worked on."""
        return reverse(f"admin:{item._meta.app_label}_{item._meta.model_name}_change", args=[item.pk])

    def list_url(self) -> str:
        """Return the list of all items."""
        name = f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist"
        return reverse(name) + (f"?{self.filters}" if self.filters else "")

    def start_url(self) -> str:
        """Return the URL that opens the first item."""
        return reverse("work", args=[self.kind])

    def next_url(self, item: Any) -> str:
        """Return the URL that opens the item after this one."""
        return f"{self.start_url()}?after={item.pk}"

    def back_url(self, item: Any) -> str:
        """Return the URL that opens the item before this one."""
        return f"{self.start_url()}?before={item.pk}"

    def _following(self, item: Any | None, agent: Agent, now: datetime) -> Iterator[Any]:
        rows = self.rows(agent, now=now)
        if item is not None:
            rows = rows.filter(self._after(item)).exclude(pk=item.pk)
        return self._allowed(rows, now)

    def _allowed(self, rows: QuerySet[Any], now: datetime) -> Iterator[Any]:
        rows = rows.select_related(*self.related) if self.related else rows
        for start_of_batch in range(0, MAX_COUNT, BATCH):
            batch = list(rows[start_of_batch : start_of_batch + BATCH])
            yield from self.allowed(batch, now)
            if len(batch) < BATCH:
                return

    def _after(self, item: Any) -> Q:
        value = getattr(item, self.order)
        if value is None:  # It was dealt with, and has no place any more.
            return Q()
        return Q(**{f"{self.order}__gte": value}) & (Q(**{f"{self.order}__gt": value}) | Q(pk__gt=item.pk))

    def _before(self, item: Any) -> Q:
        value = getattr(item, self.order)
        if value is None:
            return Q()
        return Q(**{f"{self.order}__lte": value}) & (Q(**{f"{self.order}__lt": value}) | Q(pk__lt=item.pk))


def _calls_allowed(items: Sequence[Any], now: datetime) -> list[Any]:
    inputs = may_go.gate_inputs(items, now=now) if items else ()
    decided = zip(items, inputs, strict=True)
    return [item for item, asked in decided if asked.decide(now).verdict == Verdict.ALLOW]


def _proposed_by_others(agent: Agent, now: datetime) -> Q:
    return ~Q(proposed_by=agent.pk)


def broken_lately(agent: Agent, now: datetime) -> Q:
    """Leave out what was broken long ago."""
    return Q(broken_on__gte=agency_today(now) - timedelta(days=BROKEN_DAYS)) | ~Q(status=Arrangement.Status.BROKEN)


def _not_begun_by_others(agent: Agent, now: datetime) -> Q:
    return Q(begun_at=None) | Q(begun_by=agent.pk) | Q(begun_at__lte=now - start.TAKEN_FOR)


#: In the order in which the menu and the home page show them.
WORKLISTS: tuple[Worklist, ...] = (
    Worklist(
        "deferrals", "Deferral requests", "hourglass_top", DeferralRequest, "collections.review_deferralrequest",
        Q(status=DeferralRequest.Status.PENDING), filters="tab=mine",
        mine=lambda agent, now: deferral_limits.may_decide(deferral_limits.reach_of(agent, now=now)),
        late=lambda now: Q(created_at__lt=working_days_before(now, DEFERRAL_WORKING_DAYS)),
        late_words=f"over {DEFERRAL_WORKING_DAYS} working days", has_legal_clock=True,
    ),
    Worklist(
        "arrangements", "Arrangements to approve", "handshake", Arrangement, "arrangements.approve_arrangement",
        Q(status=Arrangement.Status.PENDING_APPROVAL), debt="", filters="state=approve", mine=_proposed_by_others,
    ),
    Worklist(
        "broken-arrangements", "Broken arrangements", "heart_broken", Arrangement, "arrangements.change_arrangement",
        Arrangement.NEEDS_ATTENTION, debt="", filters="state=attention", mine=broken_lately,
    ),
    Worklist(
        "creditor-questions", "Disputes to send", "forward_to_inbox", Dispute, "collections.change_dispute",
        Q(status=Dispute.Status.RECEIVED), "received_at", ("debt__debtor",), filters="status__exact=received",
        late=lambda now: Q(received_at__lt=now - timedelta(days=DISPUTE_DAYS)),
        late_words=f"over {DISPUTE_DAYS} days", has_legal_clock=True,
    ),
    Worklist(
        "disputes", "Disputes to decide", "balance", Dispute, "collections.decide_dispute",
        Q(status=Dispute.Status.AWAITING_CREDITOR), "received_at", ("debt__debtor",),
        filters="status__exact=awaiting_creditor",
        late=lambda now: Q(received_at__lt=now - timedelta(days=DISPUTE_DAYS)),
        late_words=f"over {DISPUTE_DAYS} days", has_legal_clock=True,
    ),
    Worklist(
        "support", "Hardship and complaints", "support_agent", SupportRequest, "casework.change_supportrequest",
        ~Q(status=SupportRequest.Status.ANSWERED), debt="", filters="state=open",
        late=lambda now: Q(created_at__lt=working_days_before(now, DEFERRAL_WORKING_DAYS)),
        late_words=f"over {DEFERRAL_WORKING_DAYS} working days", has_legal_clock=True,
    ),
    Worklist(
        "follow-ups", "Follow-ups", "event", FollowUp, "casework.change_followup", DUE, "due_on", filters="state=mine",
        mine=lambda agent, _: Q(owner=None) | Q(owner=agent.pk),
        late=lambda now: Q(due_on__lt=agency_today(now)), late_words="from before today",
    ),
    Worklist(
        "replies", "Replies", "reply", InboundMessage, "communications.read_inboundmessage", Q(read_at=None),
        late=lambda _: Q(asks_for=AsksFor.DOUBTFUL), late_words="may ask for no more messages",
    ),
    Worklist(
        "calls", "Calls", "call", CallTask, "communications.finish_calltask", Q(outcome=None), "sent_at",
        mine=_not_begun_by_others, allowed=_calls_allowed, related=("debtor", "debt__creditor", "template"),
    ),
    Worklist(
        "uncertain", "Uncertain messages", "help", UncertainMessage, "communications.add_uncertainresolution", Q(),
    ),
    Worklist(
        "holds", "Holds to approve", "pause_circle", Hold, "collections.change_hold", AWAITING_APPROVAL,
        people=("debtor", "debt__debtor"), filters="state=waiting",
    ),
    Worklist(
        "reviews", "Holds to review", "event_repeat", Hold, "collections.change_hold", DUE_FOR_REVIEW, "review_on",
        ("debtor", "debt__debtor"), filters="state=review",
        late=lambda now: Q(review_on__lt=agency_today(now)), late_words="overdue", has_legal_clock=True,
    ),
    Worklist(
        "parked", "Parked placement rows", "rule", ParkedPlacement, "collections.decide_parkedplacement", Q(decision=None),
        debt="",
    ),
    Worklist(
        "suspense", "Receipts in suspense", "savings", Receipt, "payments.add_receiptallocation", Q(suspense__isnull=False),
        people=(), debt="", filters="state=suspense",
    ),
    Worklist(
        "refunds", "Refunds to approve", "currency_exchange", Refund, "payments.decide_refund", Q(decision=None),
        people=("credit__debtor", "payment__debt__debtor"), debt="",
        mine=lambda agent, _: Q(proposed_by=None) | ~Q(proposed_by=agent.pk),
    ),
    Worklist(
        "callbacks", "Failed callbacks", "sync_problem", ProviderEvent, "communications.rerun_providerevent",
        Q(failed_at__isnull=False), "failed_at", (), "", filters="state=failed",
        is_claimed=False,
    ),
)  # fmt: skip
BY_KIND = {worklist.kind: worklist for worklist in WORKLISTS}


def calls_now(agent: Agent, *, now: datetime) -> tuple[int, datetime | None]:
    """Return how many of the ``CALLS_ASKED`` oldest calls may be made now, and when the first of the others may."""
    calls = BY_KIND["calls"]
    items = list(calls.rows(agent, now=now).select_related(*calls.related)[:CALLS_ASKED])
    decided = [asked.decide(now) for asked in may_go.gate_inputs(items, now=now)] if items else []
    later = [decision.until for decision in decided if decision.until]
    return sum(decision.verdict == Verdict.ALLOW for decision in decided), min(later, default=None)


def of(agent: Agent) -> list[Worklist]:
    """Return the work that the agent may do."""
    return [worklist for worklist in WORKLISTS if worklist.is_for(agent)]
