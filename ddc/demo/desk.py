"""Let the demo's agents work on a day: decide requests, read replies, call, write notes, set and close follow-ups.

They leave the work of the last days undone, so that a visitor of the demo finds some.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from functools import partial

from casework import follow_ups, notes
from casework.models import FollowUp
from collection import deferral_limits, deferral_steps, deferrals, disputes
from collection.models import DeferralRequest, Dispute
from communications.callbacks import replies
from communications.calls import records, start
from communications.models import CallOutcome, CommunicationLog, MessageStatus
from communications.sending import uncertain
from contact import preferences
from contact.engine.decision import Verdict
from ddc.common import money
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from ddc.demo.context import Month
from ddc.demo.debtors import LATELY
from ddc.demo.sample import SAMPLE
from debtors.models import Debtor

_CALLS = {
    CallOutcome.NO_ANSWER: 25, CallOutcome.VOICEMAIL: 15, CallOutcome.PROMISE: 25, CallOutcome.RIGHT_PARTY: 12,
    CallOutcome.REFUSED: 8, CallOutcome.CALL_BACK: 8, CallOutcome.BUSY: 4, CallOutcome.WRONG_NUMBER: 2,
    CallOutcome.NO_CALLS: 1,
}  # fmt: skip
_ADVERSE = ("recall", "withdraw", "adjust", "verify", "verify")


def morning(month: "Month", at: datetime) -> None:
    """Decide what debtors asked for, read their replies, and close the follow-ups of the day."""
    rng = month.rng
    if month.days_left(at) > 0:
        _close_follow_ups(month, at)
    if month.days_left(at) < LATELY:
        _prepare(month, at)
        return
    for number, request in enumerate(_pending_requests()):
        _review(month, request, at + timedelta(minutes=3 * number + rng.randint(0, 2)))
    unread = CommunicationLog.objects.filter(status=MessageStatus.RECEIVED, read_at__isnull=True)
    for message in unread.order_by("created_at"):
        replies.mark_read(message, by=month.agent, now=at)
    for dispute in _open_disputes(before=at - timedelta(days=2)):
        _work_on(month, dispute, at)
    in_doubt = CommunicationLog.objects.filter(status=MessageStatus.UNCERTAIN).order_by("created_at")
    for number, message in enumerate(in_doubt):
        resolve = uncertain.send_again if number % 2 else uncertain.confirm
        reason = "Not in the provider's records." if number % 2 else "The debtor answered it."
        resolve(message, by=month.agent, reason=reason, now=at)


def _close_follow_ups(month: "Month", at: datetime) -> None:
    """Finish, move or drop the follow-ups of the day."""
    rng = month.rng
    due = FollowUp.objects.filter(outcome=None, due_on__lte=agency_today(at)).order_by("due_on", "created_at")
    for follow_up in due:
        match rng.choice(("finish", "finish", "finish", "move", "drop")):
            case "finish":
                follow_ups.finish(follow_up, by=month.agent, now=at, note=rng.choice(SAMPLE["closing_notes"]))
            case "move":
                later = agency_today(at) + timedelta(days=rng.randint(2, 6))
                follow_ups.move(follow_up, due_on=later, by=month.agent, now=at)
            case "drop":
                follow_ups.drop(follow_up, by=month.agent, now=at, note="Paid in the meantime.")


def afternoon(month: "Month", at: datetime) -> None:
    """Make calls, take calls, write notes and set follow-ups."""
    rng = month.rng
    if month.days_left(at) >= 1:
        for number, task in enumerate(records.open_tasks().order_by("created_at", "debt__external_reference")[:8]):
            _call(month, task, at + timedelta(minutes=6 * number))
    for message in _recent(month, at):
        person = message.debtor
        assert person is not None
        notes.write(person, text=rng.choice(SAMPLE["notes"]), pinned=rng.random() < 0.2, by=month.agent, now=at)
        if rng.random() < 0.7:
            due = agency_today(at) + timedelta(days=rng.randint(1, 5))
            owner = rng.choice((month.agent, month.supervisor, None))
            text = rng.choice(SAMPLE["follow_ups"])
            follow_ups.set_for(person, due_on=due, text=text, debt=message.debt, owner=owner, by=month.agent, now=at)
        if rng.random() < 0.5:
            outcome = rng.choice((CallOutcome.RIGHT_PARTY, CallOutcome.PROMISE, CallOutcome.CALL_BACK))
            said = rng.choice(SAMPLE["call_notes"])
            records.record_call(
                person, direction="inbound", outcome=outcome, debt=message.debt, notes=said, by=month.agent, now=at
            )
        if rng.random() < 0.15:
            _allowed(partial(_prefer_evenings, month, person, at))


def _prefer_evenings(month: "Month", person: Debtor, at: datetime) -> None:
    wish = "Please only after work, from five to seven."
    preferences.record(person, statement=wish, opens=time(17), closes=time(19), by=month.agent, now=at)


def _pending_requests() -> Iterator[DeferralRequest]:
    pending = DeferralRequest.objects.filter(status=DeferralRequest.Status.PENDING)
    yield from pending.select_related("debt__debtor").order_by("created_at", "debt__external_reference")


def _prepare(month: "Month", at: datetime) -> None:
    """Ask one debtor a question, and send what is above an Agent's limits to the Supervisor, of the day before only."""
    reach = deferral_limits.Reach(month.agent, at)
    for number, request in enumerate(_pending_requests()):
        days = request.requested_deferral_days
        if number == 0 and request.question_at is None:
            question = "When do you expect your next salary?"
            deferral_steps.ask(request, by=month.agent, question=question, now=at)
        elif number % 2 and reach.exceeded(request.debt, days):
            deferral_steps.send_to_supervisor(request, by=month.agent, now=at)


def _review(month: "Month", request: DeferralRequest, at: datetime) -> None:
    """Grant a request, fewer days or none. Above an Agent's limits the Supervisor decides, the next day."""
    rng, asked = month.rng, request.requested_deferral_days
    is_above = deferral_limits.Reach(month.agent, at).exceeded(request.debt, asked)
    if is_above and request.escalated_at is None:
        deferral_steps.send_to_supervisor(request, by=month.agent, now=at)
        return
    by = month.supervisor if is_above else month.agent
    match rng.choice(("grant", "grant", "offer", "reject")):
        case "reject":
            note = rng.choice(SAMPLE["review_notes"]["rejected"])
            deferrals.reject(request, by=by, notes=note, now=at)
        case decision:
            note = rng.choice(SAMPLE["review_notes"]["approved"]) or None
            days = asked // 2 if decision == "offer" and asked >= 14 else asked
            _allowed(lambda: deferrals.approve(request, by=by, notes=note, days=days, now=at))


def _open_disputes(*, before: datetime) -> Iterator[Dispute]:
    found = Dispute.objects.filter(status__in=Dispute.OPEN, received_at__lt=before)
    yield from found.select_related("debt").order_by("received_at", "debt__external_reference")


def _work_on(month: "Month", dispute: Dispute, at: datetime) -> None:
    """Ask the creditor about a new dispute, and decide some of those of which the answer is there."""
    if dispute.status == Dispute.Status.RECEIVED:
        disputes.ask_creditor(dispute, by=month.agent, now=at)
    elif month.rng.random() < 0.2:
        third = money.rounded(dispute.debt.current_balance / 3, dispute.debt.currency_code)
        outcome = month.rng.choice(_ADVERSE)
        decide = getattr(disputes, outcome if outcome != "adjust" or third else "verify")
        lower = {"balance": dispute.debt.current_balance - third} if decide == disputes.adjust else {}
        answer = "The creditor's letter is in the file."
        _allowed(lambda: decide(dispute, answer=answer, by=month.supervisor, now=at, **lower))


def _call(month: "Month", task: CommunicationLog, at: datetime) -> None:
    decision = start.begin(task, by=month.agent, now=at)
    if decision.verdict == Verdict.ALLOW:
        outcome = month.rng.choices(tuple(_CALLS), tuple(_CALLS.values()))[0]
        said = month.rng.choice(SAMPLE["call_notes"]) if outcome in (CallOutcome.PROMISE, CallOutcome.REFUSED) else None
        records.finish(task, outcome=outcome, notes=said, by=month.agent, now=at + timedelta(minutes=4))


def _recent(month: "Month", at: datetime) -> list[CommunicationLog]:
    """Return some messages of the last two days about which debtors call."""
    delivered = CommunicationLog.objects.filter(status=MessageStatus.DELIVERED, sent_at__gte=at - timedelta(days=2))
    ids = list(delivered.order_by("debt__external_reference", "created_at").values_list("pk", flat=True))
    chosen = month.rng.sample(ids, min(3, len(ids)))
    by_id = CommunicationLog.objects.select_related("debtor", "debt").in_bulk(chosen)
    return [by_id[pk] for pk in chosen]


def _allowed(action: Callable[[], object]) -> None:
    """Do what the rules allow; what they refuse stays as it is."""
    try:
        action()
    except DomainError:
        return
