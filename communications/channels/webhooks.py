"""What providers call us with: checked by anymail's and Twilio's own code, and read into plain news."""

import base64
import contextlib
import hashlib
import re
import uuid
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, QueryDict, RawPostDataException

from communications.channels import sns, softness
from communications.inbound import Received
from communications.inbox import Incoming, Pressed, Unread
from communications.models import CallOutcome, Channel, MessageStatus
from communications.news import News
from communications.states import Event
from ddc.common.errors import DomainError, Forbidden
from debtors.models import StopReason

log = structlog.get_logger(__name__)

#: The last word of a view's name in anymail, per path.
_KINDS = {"tracking": "TrackingWebhookView", "inbound": "InboundWebhookView"}
_PROVIDERS = {
    "amazon_ses": "AmazonSES",
    "brevo": "Brevo",
    "mailersend": "MailerSend",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "mailtrap": "Mailtrap",
    "mandrill": "Mandrill",
    "postal": "Postal",
    "postmark": "Postmark",
    "resend": "Resend",
    "sendgrid": "SendGrid",
    "sendinblue": "SendinBlue",
    "sparkpost": "SparkPost",
    "unisender_go": "UnisenderGo",
}
_STATUSES = {
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "bounced": MessageStatus.BOUNCED,
    "rejected": MessageStatus.FAILED,
    "failed": MessageStatus.FAILED,
    "opened": MessageStatus.DELIVERED,
    "clicked": MessageStatus.DELIVERED,
    "complained": MessageStatus.DELIVERED,
    "unsubscribed": MessageStatus.DELIVERED,
}
_FACTS = {"opened": Event.OPENED, "clicked": Event.CLICKED, "complained": Event.COMPLAINED}
_SUPPRESSIONS = {
    "bounced": StopReason.BOUNCED,
    "complained": StopReason.COMPLAINED,
    "unsubscribed": StopReason.OPTED_OUT,
}
_REJECTIONS = {
    "bounced": StopReason.BOUNCED,
    "invalid": StopReason.BOUNCED,
    "spam": StopReason.COMPLAINED,
    "unsubscribed": StopReason.OPTED_OUT,
}
_EVENT_ID_LENGTH = 255
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_MOST_REFERENCES = 20
_FORM = "application/x-www-form-urlencoded"


class NotAuthentic(Forbidden):
    """Not signed by a provider that is configured here."""

    message = "This call is not signed by a provider that is configured here."


class Unreadable(DomainError):
    """It is the provider's, and still makes no sense."""

    status = 422
    message = "This call can't be read."


@dataclass(frozen=True)
class Challenge(Exception):
    """Amazon SNS sends its credentials only after it was asked for them."""

    realm: str


def is_known(provider: str, kind: str) -> bool:
    return _view_class(provider, kind) is not None


@cache
def _view_class(provider: str, kind: str) -> Any:
    if provider not in _PROVIDERS:
        return None
    module = import_module(f"anymail.webhooks.{provider}")
    found = getattr(module, _PROVIDERS[provider] + _KINDS[kind], None)
    return found or getattr(module, f"{_PROVIDERS[provider]}CombinedWebhookView", None)


def read_mail(provider: str, kind: str, request: HttpRequest) -> list[Incoming]:
    """Check who calls, then return what happened. What is rightly signed and can't be read is kept as it came.

    :raises NotAuthentic: if the signature is wrong, or the provider is not configured
    :raises Challenge: if Amazon SNS has yet to be asked for its credentials
    """
    view = _authentic(provider, kind, request)
    try:
        return _read(provider, view, request)
    except Exception as error:  # Each provider's reader has its own ways to fail.
        log.warning("callback_unreadable", provider=provider, kind=kind, error=type(error).__name__)
    body = _body(request)
    return [
        Unread(
            provider=provider,
            event_id=f"unread:{hashlib.sha256(body).hexdigest()}",
            kind=kind,
            body=base64.b64encode(body).decode(),
            content_type=_FORM if request.POST else request.content_type or "",
            headers={name: value for name, value in request.headers.items() if name.startswith("X-")},
        )
    ]


def read_again(provider: str, payload: dict[str, Any]) -> list[Incoming]:
    """Read what couldn't be read when it came; it was found to be authentic then. Breaks if it still can't be."""
    body = base64.b64decode(payload["body"])
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in payload["headers"].items()}
    request = HttpRequest()
    request.method, request.content_type = "POST", payload["content_type"]
    request.META = {
        **meta,
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": payload["content_type"],
        "CONTENT_LENGTH": str(len(body)),
    }
    if payload["content_type"] == _FORM:
        request.POST = QueryDict(body)
        request._post_parse_error = False  # type: ignore[attr-defined]
    request._body = body
    view = _view(provider, payload["kind"], request)
    return _read(provider, view, request)


def _read(provider: str, view: Any, request: HttpRequest) -> list[Incoming]:
    return [
        _received(provider, event) if hasattr(event, "message") else _tracked(provider, event)
        for event in view.parse_events(request)
    ]


def _body(request: HttpRequest) -> bytes:
    """The body, or its fields where it was a form that has been read by now; attachments don't come along."""
    try:
        return request.body
    except RawPostDataException:
        return request.POST.urlencode().encode()


def _view(provider: str, kind: str, request: HttpRequest) -> Any:
    """Make anymail's view of this provider.

    :raises NotAuthentic: if the provider is not configured
    """
    from anymail.exceptions import AnymailError
    from django.core.exceptions import ImproperlyConfigured

    extras = {}
    if provider == "mandrill" and "MANDRILL_WEBHOOK_URL" not in settings.ANYMAIL:
        extras["webhook_url"] = settings.PUBLIC_URL + request.path  # It signs the address that it calls.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It warns of what is refused below.
            view = _view_class(provider, kind)(**extras)
    except (AnymailError, ImproperlyConfigured, ValueError, ImportError) as error:
        raise NotAuthentic from error
    return view


def _authentic(provider: str, kind: str, request: HttpRequest) -> Any:
    view = _view(provider, kind, request)
    if not view.warn_if_no_basic_auth:
        view.basic_auth = []  # It checks a signature, so the shared secret is not asked for as well.
    elif not view.basic_auth:
        raise NotAuthentic
    if (
        provider == "amazon_ses"
        and "X-Amz-Sns-Message-Type" in request.headers
        and "Authorization" not in request.headers
    ):
        raise Challenge("callbacks")
    try:
        view.run_validators(request)
    except Exception as error:  # Whatever can't be checked is not authentic.
        raise NotAuthentic from error
    if provider == "amazon_ses" and not sns.is_signed(request.body):
        raise NotAuthentic
    return view


def _tracked(provider: str, event: Any) -> News:
    kind, reason = event.event_type, event.reject_reason
    soft = kind == "bounced" and softness.is_soft(provider, event.esp_event)
    words = next((text for text in (event.mta_response, event.description) if text), None)
    return News(
        provider=provider,
        event_id=_event_id(event, kind),
        log_id=_log_id(event.metadata),
        message_id=_storable(event.message_id),
        address=_storable(event.recipient),
        status=_STATUSES.get(kind),
        suppression=None if soft else _REJECTIONS.get(reason or "") if kind == "rejected" else _SUPPRESSIONS.get(kind),
        fact=_FACTS.get(kind),
        user_agent=_storable(event.user_agent),
        words=_storable(words) or kind,
    )


def _received(provider: str, event: Any) -> Received:
    message = event.message
    sender = message.envelope_sender or (
        message.from_email.addr_spec if hasattr(message.from_email, "addr_spec") else None
    )
    body = message.text
    if body is None:
        body = message.html or ""
    return Received(
        channel=Channel.EMAIL,
        provider=provider,
        message_id=_storable(message["Message-ID"]) or _event_id(event, "inbound", sender, message.subject, body),
        address=_storable(sender) or "",
        subject=_storable(message.subject),
        body=_storable(message.stripped_text or body) or "",
        references=_references(message),
    )


def _references(message: Any) -> tuple[str, ...]:
    """The Message-IDs that a mail answers, the nearest first (RFC 5322, 3.6.4)."""
    parent, line = str(message["In-Reply-To"] or ""), str(message["References"] or "")
    found = [*_MESSAGE_ID.findall(parent), *reversed(_MESSAGE_ID.findall(line))]
    return tuple(dict.fromkeys(_storable(one) or "" for one in found))[:_MOST_REFERENCES]


def _event_id(event: Any, kind: str, *more: object) -> str:
    """The provider's id of the event with its kind, else a digest of what makes it that event."""
    if event.event_id:
        return f"{kind}:{_storable(str(event.event_id))}"[:_EVENT_ID_LENGTH]
    parts = (kind, event.timestamp, getattr(event, "message_id", None), getattr(event, "recipient", None), *more)
    return "sha256:" + hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()


def _log_id(metadata: Any) -> uuid.UUID | None:
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        return uuid.UUID(str(metadata.get("log_id")))
    return None


def _storable(text: object) -> str | None:
    """Leave out what PostgreSQL can't keep."""
    return None if text is None else str(text).replace("\x00", "").encode("utf-8", "replace").decode()


def check_twilio(request: HttpRequest) -> dict[str, str]:
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
    return {name: _storable(value) or "" for name, value in fields.items()}


#: Twilio's words for SMS and for calls.
_TWILIO_STATUSES = {
    **dict.fromkeys(
        ("accepted", "scheduled", "queued", "sending", "initiated", "ringing", "in-progress"), MessageStatus.SENT
    ),
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
    "completed": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.FAILED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
    "busy": MessageStatus.FAILED,
    "no-answer": MessageStatus.FAILED,
}
_TWILIO_OPTED_OUT = "21610"
#: How a call went, by Twilio's status of the call; of a completed one by who answered.
_TWILIO_OUTCOMES = {"busy": CallOutcome.BUSY, "no-answer": CallOutcome.NO_ANSWER}
_TWILIO_NOT_IN_SERVICE = frozenset({"13223", "13224", "13227", "21211", "21217", "32203"})


def _twilio_outcome(fields: dict[str, str]) -> CallOutcome | None:
    """Tell how a call went; None while it goes on, or where nobody knows."""
    status, answered_by = fields.get("CallStatus", "").lower(), fields.get("AnsweredBy", "").lower()
    if status == "completed":
        return CallOutcome.VOICEMAIL if answered_by.startswith(("machine", "fax")) else CallOutcome.ANSWERED
    if status == "failed" and fields.get("ErrorCode", "") in _TWILIO_NOT_IN_SERVICE:
        return CallOutcome.NOT_IN_SERVICE
    return _TWILIO_OUTCOMES.get(status)


def read_twilio_status(request: HttpRequest) -> News:
    """Check and read Twilio's report on a message or call; refuses what ``check_twilio`` refuses."""
    fields = check_twilio(request)
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("CallSid") or ""
    word = fields.get("MessageStatus") or fields.get("SmsStatus") or fields.get("CallStatus") or ""
    if not sid or not word:
        raise Unreadable
    error = fields.get("ErrorCode", "")
    return News(
        provider="twilio",
        event_id=f"{sid}:{word}"[:_EVENT_ID_LENGTH],
        log_id=_log_id(request.GET.dict() | {"log_id": request.GET.get("log")}),
        message_id=sid,
        address=fields.get("To") or fields.get("Called"),
        status=_TWILIO_STATUSES.get(word.lower()),
        suppression=StopReason.OPTED_OUT if error == _TWILIO_OPTED_OUT else None,
        words=f"Twilio: {word}" + (f" ({error}) {fields.get('ErrorMessage', '')}".rstrip() if error else ""),
        outcome=_twilio_outcome(fields) if fields.get("CallSid") else None,
    )


def read_twilio_key(request: HttpRequest) -> Pressed:
    """Check and read a key that somebody pressed in a call; refuses what ``check_twilio`` refuses."""
    fields = check_twilio(request)
    sid, digit = fields.get("CallSid", ""), fields.get("Digits", "")
    if not sid:
        raise Unreadable
    log_id = _log_id({"log_id": request.GET.get("log")})
    return Pressed(
        provider="twilio",
        event_id=f"key:{sid}:{digit}"[:_EVENT_ID_LENGTH],
        log_id=str(log_id) if log_id else "",
        digit=digit,
        address=fields.get("To", ""),
    )


def read_twilio_inbound(request: HttpRequest) -> Received:
    """Check and read an SMS that somebody sent us; refuses what ``check_twilio`` refuses."""
    fields = check_twilio(request)
    sid, sender = fields.get("MessageSid") or fields.get("SmsSid") or "", fields.get("From", "")
    if not sid or not sender:
        raise Unreadable
    return Received(
        channel=Channel.SMS,
        provider="twilio",
        message_id=sid,
        address=sender,
        body=fields.get("Body", ""),
        opt_out=fields.get("OptOutType") or None,
    )
