"""Twilio: text messages and calls by its API."""

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape, quoteattr

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from communications.channels import http_errors, spoken
from communications.channels.events import (
    EVENT_ID_LENGTH,
    CallAnswered,
    DeliveryEvent,
    InboundMessage,
    KeyPress,
    NotAuthentic,
    Unreadable,
    our_id,
    storable,
)
from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.spoken import Line, Prompt
from communications.models import CallOutcome
from communications.providers import twilio_records
from communications.providers.base import CallbackKind, ProviderCallback, SentRecord, SentText
from debtors.channels import Channel
from debtors.models import SuppressionReason

if TYPE_CHECKING:
    from twilio.rest import Client

log = structlog.get_logger(__name__)

#: How many of the newest messages to a number are fetched.
_MAX_RECORDS = 50
#: https://www.twilio.com/docs/api/errors: 21610 "Attempt to send to unsubscribed recipient", 20429 "Too many requests".
_OPTED_OUT, _TOO_MANY = 21610, 20429
#: Codes of a number that gets no text messages, ever: no such number, landline or out of service, not a mobile. Others, such as
#: 30003 (switched off), 30004 (blocked) and 30008 (unknown), are for now.
_NO_TEXTS = frozenset({"21211", "21614", "30005", "30006"})
_OUTCOMES = {"busy": CallOutcome.BUSY, "no-answer": CallOutcome.NO_ANSWER}
#: Twilio's error codes of a number that is not in service.
_NOT_IN_SERVICE = frozenset({"13223", "13224", "13227", "21211", "21217", "32203"})
#: The tag that <Say> uses for a language if it does not know the language's own tag.
_VOICES = {
    "en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "pt": "pt-PT", "nl": "nl-NL", "pl": "pl-PL",
    "da": "da-DK", "sv": "sv-SE", "nb": "nb-NO", "no": "nb-NO", "fi": "fi-FI", "ru": "ru-RU", "ja": "ja-JP", "ko": "ko-KR",
    "zh": "zh-CN", "ca": "ca-ES",
}  # fmt: skip
_TAGS = frozenset(_VOICES.values()) | {
    "en-AU", "en-CA", "en-IN", "en-US", "es-MX", "fr-CA", "pt-BR", "zh-HK", "zh-TW",
}  # fmt: skip


class Twilio:
    name = "twilio"

    def __init__(self, *, timeout_seconds: float = 10) -> None:
        self._timeout_seconds = timeout_seconds

    def check_settings(self) -> None:
        if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_FROM_NUMBER):
            raise ImproperlyConfigured(
                "SMS_BACKEND=twilio needs TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM_NUMBER. Set all three."
            )

    def send_sms(self, outgoing: Outgoing) -> Outcome:
        return self._dispatch(
            lambda client: client.messages.create(
                to=outgoing.to,
                from_=settings.TWILIO_FROM_NUMBER,
                body=outgoing.body,
                status_callback=_callback_url(CallbackKind.STATUS, outgoing.message_id),
            )
        )

    def call(self, outgoing: Outgoing) -> Outcome:
        return self._dispatch(
            lambda client: client.calls.create(
                to=outgoing.to,
                from_=settings.TWILIO_FROM_NUMBER,
                url=_callback_url(CallbackKind.ANSWER, outgoing.message_id),
                # A voicemail is spoken after the machine's own announcement; to hang up, its beginning is enough.
                machine_detection="DetectMessageEnd" if spoken.may_leave_voicemail() else "Enable",
                status_callback=_callback_url(CallbackKind.STATUS, outgoing.message_id),
            )
        )

    def fetch_status(self, address: str, *, since: datetime) -> list[SentText]:
        newest = self._client().messages.list(to=address, from_=settings.TWILIO_FROM_NUMBER, limit=_MAX_RECORDS)
        return [
            SentText(text.sid, text.body, twilio_records.event(text.status))
            for text in newest
            if text.date_created and text.date_created >= since
        ]

    def list_sent(self, *, since: datetime) -> list[SentRecord]:
        return twilio_records.sent(self._client(), settings.TWILIO_FROM_NUMBER, since=since)

    def verify_callback(self, request: HttpRequest) -> None:
        """Check Twilio's signature over the public address and the form."""
        from twilio.request_validator import RequestValidator

        if not settings.TWILIO_AUTH_TOKEN:
            raise NotAuthentic
        query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
        # The address may be configured with a slash at its end, which a middleware removes from ours.
        addresses = [settings.PUBLIC_URL + request.path + slash + query for slash in ("", "/")]
        signature = request.headers.get("X-Twilio-Signature", "")
        validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
        try:
            is_signed = any(validator.validate(address, request.POST, signature) for address in addresses)
        except Exception as error:  # A body that is no form cannot be signed.
            raise NotAuthentic from error
        if not is_signed:
            raise NotAuthentic

    def parse_callback(self, kind: CallbackKind, request: HttpRequest) -> ProviderCallback:
        fields = {name: storable(values[-1]) or "" for name, values in request.POST.lists()}
        return _PARSERS[kind](fields, our_id(request.GET.get("log")))

    def reply(self, kind: CallbackKind, prompt: Prompt | None) -> HttpResponse:
        if kind == CallbackKind.STATUS:
            return HttpResponse(status=204)
        twiml = f"<Response>{_twiml(prompt)}</Response>" if prompt else "<Response/>"
        return HttpResponse(twiml, content_type="text/xml")

    def _dispatch(self, create: "Callable[[Client], Any]") -> Outcome:
        from twilio.base.exceptions import TwilioException, TwilioRestException

        try:
            client = self._client()
        except TwilioException as error:  # Missing or malformed credentials: nothing has gone out.
            return Outcome(Result.RETRY, self.name, reason_text=str(error), down=True)
        try:
            return Outcome(Result.SENT, self.name, create(client).sid)
        except TwilioRestException as error:
            return self._refused(error.status, error.code, error.msg)
        except Exception as error:
            result = http_errors.result_of_error(error)
            if result is None:
                log.error("twilio_dispatch_failed", exc_info=error)
            words = f"{type(error).__name__}: {error}"
            return Outcome(result or Result.UNCERTAIN, self.name, reason_text=words, down=result is not None)

    def _client(self) -> "Client":
        """Return Twilio's client with our account. It keeps its connections.

        :raises TwilioException: if the credentials are missing or malformed
        """
        account, token = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
        return _client(account, token, settings.TWILIO_API_URL, self._timeout_seconds)

    def _refused(self, status: int, code: int | None, text: str) -> Outcome:
        if code == _OPTED_OUT:
            result = Result.OPTED_OUT
        elif code == _TOO_MANY:
            result = Result.RETRY
        else:
            result = http_errors.result_of_status(status)
        is_dead = str(code) in _NO_TEXTS
        words = f"Twilio {code or status}: {text}"
        return Outcome(result, self.name, reason_text=words, down=result == Result.RETRY, is_dead_number=is_dead)


def _callback_url(kind: CallbackKind, message_id: uuid.UUID) -> str:
    """Return where Twilio reports; the id of our message is in it, in case the answer with Twilio's own id is lost."""
    return f"{settings.PUBLIC_URL}/callbacks/twilio/{kind}?log={message_id}"


def _twiml(prompt: Prompt) -> str:
    lines = "".join(map(_say, prompt.lines))
    if prompt.key_for is None:
        return f"{lines}<Hangup/>"
    action = quoteattr(_callback_url(CallbackKind.KEY, prompt.key_for))
    return f'<Gather numDigits="1" timeout="{spoken.SECONDS_FOR_KEY}" action={action}>{lines}</Gather>'


def _say(line: Line) -> str:
    language = line.language or ""
    tag = language if language in _TAGS else _VOICES.get(language.split("-")[0].lower())
    attribute = f" language={quoteattr(tag)}" if tag else ""
    return f"<Say{attribute}>{escape(line.text)}</Say>"


def _status(fields: dict[str, str], message_id: uuid.UUID | None) -> DeliveryEvent:
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("CallSid")
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or fields.get("CallStatus")
    if not sid or not status:
        raise Unreadable
    error = fields.get("ErrorCode", "")
    return DeliveryEvent(
        provider=Twilio.name,
        event_id=f"{sid}:{status}"[:EVENT_ID_LENGTH],
        message_id=message_id,
        provider_message_id=sid,
        address=fields.get("To") or fields.get("Called"),
        event=twilio_records.EVENTS.get(status.lower()),
        suppression=_suppression(error) if fields.get("MessageSid") or fields.get("SmsSid") else None,
        reason_text=f"Twilio: {status}" + (f" ({error}) {fields.get('ErrorMessage', '')}".rstrip() if error else ""),
        call_outcome=_call_outcome(fields) if fields.get("CallSid") else None,
    )


def _suppression(error: str) -> SuppressionReason | None:
    """Return why Twilio's error code ends text messages to the number; None if it does not."""
    if error == str(_OPTED_OUT):
        return SuppressionReason.OPTED_OUT
    return SuppressionReason.BOUNCED if error in _NO_TEXTS else None


def _inbound(fields: dict[str, str], message_id: uuid.UUID | None) -> InboundMessage:
    sid, sender = fields.get("MessageSid") or fields.get("SmsSid"), fields.get("From")
    if not sid or not sender:
        raise Unreadable
    return InboundMessage(
        channel=Channel.SMS,
        provider=Twilio.name,
        event_id=f"received:{sid}"[:EVENT_ID_LENGTH],
        provider_message_id=sid,
        address=sender.removeprefix("whatsapp:"),  # The number behind it is the same person's.
        body=fields.get("Body", ""),
        opt_out=fields.get("OptOutType") or None,
    )


def _answer(fields: dict[str, str], message_id: uuid.UUID | None) -> CallAnswered:
    return CallAnswered(Twilio.name, _call_id(fields), message_id, by_machine=_is_machine(fields))


def _key(fields: dict[str, str], message_id: uuid.UUID | None) -> KeyPress:
    sid, digit = _call_id(fields), fields.get("Digits", "")
    return KeyPress(
        provider=Twilio.name,
        event_id=f"key:{sid}:{digit}"[:EVENT_ID_LENGTH],
        message_id=message_id,
        digit=digit,
        address=fields.get("To", ""),
    )


_PARSERS: dict[CallbackKind, Callable[[dict[str, str], uuid.UUID | None], ProviderCallback]] = {
    CallbackKind.STATUS: _status,
    CallbackKind.INBOUND: _inbound,
    CallbackKind.ANSWER: _answer,
    CallbackKind.KEY: _key,
}


def _call_id(fields: dict[str, str]) -> str:
    if not fields.get("CallSid"):
        raise Unreadable
    return fields["CallSid"]


def _is_machine(fields: dict[str, str]) -> bool:
    return fields.get("AnsweredBy", "").lower().startswith(("machine", "fax"))


def _call_outcome(fields: dict[str, str]) -> CallOutcome | None:
    """Return how a call ended; None while it lasts, or if its status does not show that."""
    status = fields.get("CallStatus", "").lower()
    if status == "completed":
        return CallOutcome.VOICEMAIL if _is_machine(fields) else CallOutcome.ANSWERED
    if status == "failed" and fields.get("ErrorCode", "") in _NOT_IN_SERVICE:
        return CallOutcome.NOT_IN_SERVICE
    return _OUTCOMES.get(status)


@lru_cache(maxsize=4)
def _client(account: str, token: str, api_url: str, timeout_seconds: float) -> "Client":
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class RedirectedClient(TwilioHttpClient):  # type: ignore[misc]
        """Send requests to TWILIO_API_URL instead of Twilio's own address."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            base, original = urlsplit(api_url), urlsplit(url)
            path = base.path.rstrip("/") + original.path
            address = urlunsplit((base.scheme, base.netloc, path, original.query, ""))
            return super().request(method, address, *args, **kwargs)

    http = (RedirectedClient if api_url else TwilioHttpClient)(timeout=timeout_seconds)
    return Client(account, token, http_client=http)
