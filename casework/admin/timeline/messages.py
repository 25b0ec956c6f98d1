"""Messages and calls in a timeline, with what caused each and what the contact gate decided."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.text import Truncator

from agents.models import Agent
from casework import identity
from casework.admin.person import writing
from casework.admin.timeline.events import Action, Event, Kind, Request, Why
from casework.admin.words import Clocks, day, identity_words, name_of
from casework.models import IdentityCheck
from communications.admin.inbound import answer_url
from communications.models import CallOutcome, CommunicationLog, MessageStatus
from communications.notices.written import CHANNELS
from contact import explain
from contact.engine.decision import Purpose, Verdict
from contact.models import ContactDecision
from debtors.channels import Channel

_CALLS = (Channel.VOICE, Channel.CALL_SCRIPT)
_QUOTED = 280
_CAUSES = {
    Purpose.ANSWER: "Answers the debtor's own request",
    Purpose.CODE: "The debtor asked for a code",
    Purpose.CONFIRMATION: "Confirms an opt-out",
}
_ICONS = {Channel.EMAIL: "mail", Channel.SMS: "sms", Channel.VOICE: "robot_2", Channel.CALL_SCRIPT: "call"}
_TONES = {
    MessageStatus.BLOCKED: "off",
    MessageStatus.FAILED: "bad",
    MessageStatus.BOUNCED: "bad",
    MessageStatus.UNCERTAIN: "warn",
}


def events(asked: Request, clocks: Clocks) -> list[Event]:
    """Return messages and calls, each with the newest decision on it."""
    if not asked.wants(Kind.MESSAGES, Kind.CALLS):
        return []
    of = condition(asked, asked.kind)
    decisions = ContactDecision.objects.filter(message_id=OuterRef("pk")).order_by("-at", "-id")
    decided = JSONObject(verdict="verdict", stage="stage", at="at", reasons="reasons")
    rows = CommunicationLog.objects.filter(of & asked.earlier("created_at")).order_by("-created_at", "-id")
    rows = rows.select_related(
        "template", "debt", "outcome_by", "strategy_step__rule", "strategy_step__run", "written_by"
    )
    answers = CommunicationLog.objects.filter(in_reply_to=OuterRef("pk"), written_by__isnull=False).order_by(
        "created_at"
    )
    since = OuterRef("outcome_at") - identity.LASTS
    checks = IdentityCheck.objects.filter(
        debtor=OuterRef("debtor"),
        by=OuterRef("outcome_by"),
        created_at__gt=since,
        created_at__lte=OuterRef("outcome_at"),
    )
    annotated = rows.defer("html", "draft").annotate(
        decision=Subquery(decisions.values_list(decided)[:1]),
        identity_check=Subquery(checks.values_list(JSONObject(**{each: each for each in identity.QUESTIONS}))[:1]),
        answered_by=Subquery(answers.annotate(_name=name_of("written_by")).values("_name")[:1]),
    )
    return [_event(row, clocks, asked.agent) for row in annotated[: asked.limit]]


def condition(asked: Request, kind: Kind | None) -> Q:
    """Return the condition of the messages, the calls, or both."""
    of = Q(debt=asked.debt) if asked.debt else Q(debtor=asked.debtor)
    if kind is not None:
        of &= Q(communication_type__in=_CALLS) if kind == Kind.CALLS else ~Q(communication_type__in=_CALLS)
    return of


def _event(message: Any, clocks: Clocks, agent: Agent) -> Event:
    channel = Channel(message.communication_type)
    is_reply = message.direction == CommunicationLog.Direction.INBOUND
    page = reverse("admin:communications_communicationlog_change", args=[message.pk])
    actions: tuple[Action, ...] = ()
    if channel == Channel.CALL_SCRIPT and message.status == MessageStatus.SENT and not message.outcome:
        actions = (Action("Begin call", reverse("admin:communications_calltask_change", args=[message.pk])),)
    if is_reply and channel in CHANNELS and not message.answered_by:
        actions = (Action("Answer", answer_url(message)),) if writing.may_write(agent) else ()
        if message.read_at is None:
            actions += (Action("Read", reverse("admin:communications_inboundmessage_change", args=[message.pk])),)
    is_quoted = is_reply or (message.written_by is not None and message.template is None)
    return Event(
        at=message.created_at,
        key=message.pk,
        icon="reply" if is_reply and not channel.is_call else _ICONS[channel],
        title=_title(message, channel, is_reply),
        url=page,
        detail=_detail(message, clocks),
        quote=Truncator(message.outcome_notes or (message.body if is_quoted else "") or "").chars(_QUOTED),
        tone="info" if is_reply else _TONES.get(MessageStatus(message.status), ""),
        why=None if is_reply else _why(message, clocks),
        actions=actions,
    )


def _title(message: CommunicationLog, channel: Channel, is_reply: bool) -> str:
    if channel.is_call:
        return _call(message, channel, is_reply)
    text = message.subject or (message.template.name if message.template else "")
    if is_reply:
        return f"Replied by {channel.label.lower()}" + (f": {text}" if text else "")
    return f"{channel.label} {message.get_status_display().lower()}" + (f": {text}" if text else "")


def _call(message: CommunicationLog, channel: Channel, is_reply: bool) -> str:
    caller = "The debtor called us" if is_reply else channel.label
    if message.outcome:
        return f"{caller}: {CallOutcome(message.outcome).label}"
    if channel == Channel.CALL_SCRIPT and message.status == MessageStatus.SENT:
        return "Call to make"
    return f"{caller} {message.get_status_display().lower()}"


def _detail(message: Any, clocks: Clocks) -> str:
    parts = [f"About {message.debt}"] if message.debt else []
    made = message.begun_at or message.sent_at
    if made and abs((made - message.created_at).total_seconds()) > 300:
        parts.append(f"{day(clocks.day_here(made))} at {clocks.time(made)}")
    if message.outcome_by:
        parts.append(f"by {message.outcome_by}")
    if message.answered_by:
        parts.append(f"answered by {message.answered_by}")
    sentences = [_capital(", ".join(parts))] if parts else []
    if message.identity_check:
        sentences.append(identity_words(message.identity_check))
    if message.failure_reason:
        reason = message.failure_reason.partition(": ")[2] or message.failure_reason
        sentences.append(_capital(reason))
    return ". ".join(sentences)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _why(message: Any, clocks: Clocks) -> Why:
    lines: list[tuple[str, object]] = []
    step = getattr(message, "strategy_step", None)
    if step is not None:
        lines += [("Rule", step.rule), ("Run", f"{day(step.run.date)}, due on {day(step.occurrence)}")]
    elif message.written_by:
        lines.append(("Written by", message.written_by))
    elif message.outcome_by:
        lines.append(("Recorded by", message.outcome_by))
    elif message.purpose != Purpose.COLLECTION:
        lines.append(("Cause", _CAUSES[Purpose(message.purpose)]))
    else:
        lines.append(("Cause", "Sent by a command or over the API"))
    if message.decision is None:
        lines.append(("Decision", "None is recorded"))
    else:
        lines.append(("Decision", _decided(message.decision, clocks)))
    return Why(tuple(lines))


def _decided(decision: dict[str, Any], clocks: Clocks) -> str:
    verdict = explain.VERDICTS[Verdict(decision["verdict"])]
    stage = ContactDecision.Stage(decision["stage"]).label
    reasons = " ".join(reason["text"] for reason in decision["reasons"])
    text = f"{verdict} {stage}, {clocks.time(datetime.fromisoformat(decision['at']))}"
    return f"{text}: {reasons}" if reasons else f"{text}: every demand was met"
