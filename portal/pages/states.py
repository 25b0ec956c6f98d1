"""The state of a debt, a request and a dispute in plain words, and the three steps that each takes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collection.models import DebtStatus, DeferralRequest, Dispute
from debtors.models import Debtor
from portal.account import Account, DebtCard
from portal.pages import wording

_CLOSED = {
    DebtStatus.PAID: ("good", "check", gettext_lazy("Paid, thank you")),
    DebtStatus.SETTLED: ("good", "check", gettext_lazy("Settled. You have nothing left to pay.")),
    DebtStatus.WRITTEN_OFF: ("plain", "check", gettext_lazy("Closed. You have nothing left to pay.")),
    DebtStatus.RECALLED: ("hold", "pause", gettext_lazy("Returned to the creditor. Please do not pay us.")),
}
_OUTCOMES = {
    Dispute.Status.VERIFIED: gettext_lazy("The creditor has proved that you owe it."),
    Dispute.Status.ADJUSTED: gettext_lazy("We have corrected the debt."),
    Dispute.Status.WITHDRAWN: gettext_lazy("You withdrew it."),
    Dispute.Status.RECALLED: gettext_lazy("The creditor has taken the debt back."),
}


@dataclass(frozen=True)
class State:
    """One line of state: its tone is a class of the style sheet, its icon a name of ``portal.templatetags``."""

    tone: str
    icon: str
    text: str


@dataclass(frozen=True)
class Step:
    """One of three steps: ``done``, ``now`` or empty for later."""

    state: str
    title: str
    note: str = ""


def of_debt(card: DebtCard, debtor: Debtor) -> State:
    """Return the one line that tells where a debt stands."""
    if not card.debt.is_open:
        tone, icon, text = _CLOSED[DebtStatus(card.debt.current_status)]
        return State(tone, icon, str(text))
    if card.is_wholly_disputed:
        return State("hold", "pause", _("On hold. You told us this is wrong. Nothing to pay while we check."))
    if card.rests:
        return State("hold", "pause", _("On hold. We do not ask you to pay now."))
    if card.running_plan:
        return _of_plan(card, debtor)
    return _by_day(card, debtor)


def _of_plan(card: DebtCard, debtor: Debtor) -> State:
    plan = card.running_plan
    assert plan is not None
    if plan.next is None:
        return State("good", "check", _("All payments of your plan are made."))
    amount = wording.amount(plan.next.open, plan.currency_code, debtor)
    day = wording.day(plan.next.due_on, debtor)
    if plan.missed:
        text = _("A payment of your plan is missing: %(amount)s was due on %(day)s.")
        return State("", "clock", text % {"amount": amount, "day": day})
    text = _("Your plan: %(paid)s of %(all)s payments made. Next %(amount)s on %(day)s")
    numbers = {"paid": plan.next.no - 1, "all": len(plan.steps)}
    return State("plain", "steps", text % (numbers | {"amount": amount, "day": day}))


def _by_day(card: DebtCard, debtor: Debtor) -> State:
    due = card.debt.due_date
    is_pending = card.request is not None and card.request.status == DeferralRequest.Status.PENDING
    if due is None and is_pending:
        return State("", "clock", _("A person is looking at it"))
    if due is None:
        return State("", "clock", _("Please pay now, or tell us what you need."))
    day = wording.day(due, debtor)
    if card.debt.current_status == DebtStatus.DEFERRED and due >= card.today:
        return State("good", "check", _("More time given: due %(day)s") % {"day": day})
    if due == card.today:
        return State("", "clock", _("Due today, %(day)s") % {"day": day})
    if due < card.today:
        return State("", "clock", _("This was due on %(day)s") % {"day": wording.day(due, debtor, "full")})
    return State("plain", "clock", _("Due on %(day)s") % {"day": day})


def of_request(request: DeferralRequest, debtor: Debtor) -> State:
    """Return where a request for more time stands."""
    if request.status == DeferralRequest.Status.PENDING:
        return State("", "clock", _("We are looking at it. You do not need to do anything now."))
    if request.status == DeferralRequest.Status.APPROVED:
        day = wording.day(request.granted_until, debtor, "full") if request.granted_until else ""
        return State("good", "check", _("We gave you more time. This debt is now due on %(day)s.") % {"day": day})
    if request.closed_by == DeferralRequest.ClosedBy.DEBTOR:
        return State("plain", "check", _("You withdrew your request."))
    return State("hold", "wrong", _("We could not give you more time."))


def steps_of_request(request: DeferralRequest, debtor: Debtor) -> list[Step]:
    """Return the three steps of a request for more time."""
    sent = Step("done", _("You asked for more time"), wording.day(request.created_at, debtor))
    if request.status == DeferralRequest.Status.PENDING:
        looking = Step("now", _("A person is looking at it"), _("Usually within 2 working days"))
        return [sent, looking, Step("", _("Our answer"), _("By message, and here"))]
    answered = wording.day(request.reviewed_at, debtor) if request.reviewed_at else ""
    return [sent, Step("done", _("A person looked at it")), Step("done", _("Our answer"), answered)]


def steps_of_dispute(dispute: Dispute, debtor: Debtor) -> list[Step]:
    """Return the three steps of a dispute."""
    sent = Step("done", _("You told us that it is wrong"), wording.day(dispute.received_at, debtor))
    if not dispute.is_open:
        answered = wording.day(dispute.decided_at, debtor) if dispute.decided_at else ""
        return [sent, Step("done", _("We asked for proof")), Step("done", _("Our answer"), answered)]
    asks = _("We have asked %(creditor)s for proof") if dispute.asked_at else _("We ask %(creditor)s for proof")
    creditor = dispute.debt.original_creditor
    looking = Step("now", asks % {"creditor": creditor}, _("Usually within 10 working days"))
    return [sent, looking, Step("", _("Our answer"), _("By message, and here"))]


def outcome_of_dispute(dispute: Dispute) -> str:
    """Return what came out of a decided dispute; empty for an open one."""
    return str(_OUTCOMES.get(Dispute.Status(dispute.status), ""))


def portion_of_dispute(dispute: Dispute, debtor: Debtor) -> str:
    """Return how much is disputed."""
    if dispute.portion is None:
        return _("The whole debt")
    return wording.amount(Decimal(dispute.portion), dispute.currency_code, debtor)


def news(account: Account, debtor: Debtor) -> list[State]:
    """Return what changed in the last two weeks, the newest first; two lines at most."""
    found: list[tuple[datetime, State]] = []
    for card in account.cards:
        names = {"creditor": card.debt.original_creditor}
        request, dispute = card.request, card.dispute
        if request and request.reviewed_at and request.closed_by is None:
            if request.status == DeferralRequest.Status.APPROVED and request.granted_until:
                day = wording.day(request.granted_until, debtor)
                text = _("We gave you more time. %(creditor)s is now due on %(day)s.") % (names | {"day": day})
                found.append((request.reviewed_at, State("good", "check", text)))
            else:
                text = _("We answered your request for more time for %(creditor)s.") % names
                found.append((request.reviewed_at, State("plain", "speech", text)))
        if dispute and dispute.decided_at:
            text = _("We answered what you told us about %(creditor)s.") % names
            found.append((dispute.decided_at, State("plain", "speech", text)))
    return [state for _at, state in sorted(found, key=lambda each: each[0], reverse=True)[:2]]
