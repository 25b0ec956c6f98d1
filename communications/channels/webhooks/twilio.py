"""Twilio's callbacks: signed over our public address, read into news of messages and calls."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from communications.callbacks.events import DeliveryEvent, InboundMessage, KeyPress
from communications.channels.webhooks.fields import EVENT_ID_LENGTH, log_id, storable
from communications.channels.webhooks.refusals import NotAuthentic, Unreadable
from communications.models import CallOutcome
from communications.outbox.states import Event
from debtors.channels import Channel
from debtors.models import SuppressionReason

#: Twilio's words for SMS and for calls.
_EVENTS = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "initiated", "ringing", "in-progress"), Event.SENT),
    "sent": Event.SENT,
    "delivered": Event.DELIVERED,
    "read": Event.DELIVERED,
    "completed": Event.DELIVERED,
    "undelivered": Event.FAILED,
    "failed": Event.FAILED,
    "canceled": Event.FAILED,
    "busy": Event.FAILED,
    "no-answer": Event.FAILED,
}
_OPTED_OUT = "21610"
#: How a call went, by Twilio's status of the call; of a completed one by who answered.
_OUTCOMES = {"busy": CallOutcome.BUSY, "no-answer": CallOutcome.NO_ANSWER}
_NOT_IN_SERVICE = frozenset({"13223", "13224", "13227", "21211", "21217", "32203"})


@dataclass(frozen=True)
class Answered:
    """A call that somebody, or something, picked up."""

    sid: str
    message_id: uuid.UUID | None
    by_machine: bool

    def news(self, words: str) -> DeliveryEvent:
        """What there is to know of a call that a machine answered: it was a voicemail, and what was left there."""
        return DeliveryEvent(
            "twilio",
            f"answered:{self.sid}"[:EVENT_ID_LENGTH],
            message_id=self.message_id,
            provider_message_id=self.sid,
            event=Event.SENT,
            call_outcome=CallOutcome.VOICEMAIL,
            reason_text=words,
        )


def check(request: HttpRequest) -> dict[str, str]:
    """Check Twilio's signature over our public address, and return the fields that it sent.

    :raises NotAuthentic: if it is wrong, or Twilio is not configured
    """
    if not settings.TWILIO_AUTH_TOKEN:
        raise NotAuthentic
    from twilio.request_validator import RequestValidator

    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    try:
        fields = {name: str(values[-1]) for name, values in request.POST.lists()}
        validator, signature = (
            RequestValidator(settings.TWILIO_AUTH_TOKEN),
            request.headers.get("X-Twilio-Signature", ""),
        )
        # Whoever configured the address there may have put a slash at its end, which is gone by now.
        addresses = (settings.PUBLIC_URL + request.path + slash + query for slash in ("", "/"))
        signed = any(validator.validate(address, request.POST, signature) for address in addresses)
    except Exception as error:  # A body that is no form can't be signed.
        raise NotAuthentic from error
    if not signed:
        raise NotAuthentic
    return {name: storable(value) or "" for name, value in fields.items()}


def read_status(request: HttpRequest) -> DeliveryEvent:
    """Check and read Twilio's report on a message or call; refuses what ``check`` refuses."""
    fields = check(request)
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("CallSid") or ""
    word = fields.get("MessageStatus") or fields.get("SmsStatus") or fields.get("CallStatus") or ""
    if not sid or not word:
        raise Unreadable
    error = fields.get("ErrorCode", "")
    return DeliveryEvent(
        provider="twilio",
        event_id=f"{sid}:{word}"[:EVENT_ID_LENGTH],
        message_id=log_id(request.GET.get("log")),
        provider_message_id=sid,
        address=fields.get("To") or fields.get("Called"),
        event=_EVENTS.get(word.lower()),
        suppression=SuppressionReason.OPTED_OUT if error == _OPTED_OUT else None,
        reason_text=f"Twilio: {word}" + (f" ({error}) {fields.get('ErrorMessage', '')}".rstrip() if error else ""),
        call_outcome=_outcome(fields) if fields.get("CallSid") else None,
    )


def read_key(request: HttpRequest) -> KeyPress:
    """Check and read a key that somebody pressed in a call; refuses what ``check`` refuses."""
    fields = check(request)
    sid, digit = fields.get("CallSid", ""), fields.get("Digits", "")
    if not sid:
        raise Unreadable
    return KeyPress(
        provider="twilio",
        event_id=f"key:{sid}:{digit}"[:EVENT_ID_LENGTH],
        message_id=log_id(request.GET.get("log")),
        digit=digit,
        address=fields.get("To", ""),
    )


def read_answer(request: HttpRequest) -> Answered:
    """Check and read who picked up a call; refuses what ``check`` refuses."""
    fields = check(request)
    sid = fields.get("CallSid", "")
    if not sid:
        raise Unreadable
    return Answered(sid, log_id(request.GET.get("log")), by_machine=_is_machine(fields))


def read_inbound(request: HttpRequest) -> InboundMessage:
    """Check and read an SMS that somebody sent us; refuses what ``check`` refuses."""
    fields = check(request)
    sid, sender = fields.get("MessageSid") or fields.get("SmsSid") or "", fields.get("From", "")
    if not sid or not sender:
        raise Unreadable
    return InboundMessage(
        channel=Channel.SMS,
        provider="twilio",
        event_id=f"received:{sid}"[:EVENT_ID_LENGTH],
        message_id=sid,
        address=sender,
        body=fields.get("Body", ""),
        opt_out=fields.get("OptOutType") or None,
    )


def _is_machine(fields: dict[str, str]) -> bool:
    return fields.get("AnsweredBy", "").lower().startswith(("machine", "fax"))


def _outcome(fields: dict[str, str]) -> CallOutcome | None:
    """Tell how a call went; None while it goes on, or where nobody knows."""
    status = fields.get("CallStatus", "").lower()
    if status == "completed":
        return CallOutcome.VOICEMAIL if _is_machine(fields) else CallOutcome.ANSWERED
    if status == "failed" and fields.get("ErrorCode", "") in _NOT_IN_SERVICE:
        return CallOutcome.NOT_IN_SERVICE
    return _OUTCOMES.get(status)
