"""Turn anymail's events into ours."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

from communications.channels.events import EVENT_ID_LENGTH, DeliveryEvent, InboundMessage, our_id, storable
from communications.outbox.states import Event
from debtors.channels import Channel
from debtors.models import SuppressionReason

#: By anymail's name of the event.
_EVENTS = {
    "sent": Event.SENT,
    "delivered": Event.DELIVERED,
    "bounced": Event.BOUNCED,
    "rejected": Event.FAILED,
    "failed": Event.FAILED,
    "opened": Event.OPENED,
    "clicked": Event.CLICKED,
    "complained": Event.COMPLAINED,
    "unsubscribed": Event.UNSUBSCRIBED,
}
_SUPPRESSIONS = {
    "bounced": SuppressionReason.BOUNCED,
    "complained": SuppressionReason.COMPLAINED,
    "unsubscribed": SuppressionReason.OPTED_OUT,
}
_REJECTIONS = {
    "bounced": SuppressionReason.BOUNCED,
    "invalid": SuppressionReason.BOUNCED,
    "spam": SuppressionReason.COMPLAINED,
    "unsubscribed": SuppressionReason.OPTED_OUT,
}
#: Postmark's types of a bounce for good.
_POSTMARK_HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
#: SparkPost's classes of a bounce for good: invalid recipient, no such host, no recipient.
_SPARKPOST_HARD = frozenset({"10", "30", "90"})
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_MOST_REFERENCES = 20
#: Values of ``Precedence`` of mail that no person wrote, and headers that only such mail has.
_MACHINES = frozenset({"auto_reply", "auto-reply", "bulk", "junk"})
_AUTOREPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Mail-Autoreply")
#: In the languages of our texts.
_AUTOREPLY_SUBJECT = re.compile(
    r"(?:auto(?:matic)?[ -]?repl(?:y|ies)|auto[ -]?response|auto:|out[ -]of[ -](?:the[ -])?office|automatische antwort"
    r"|abwesenheit|r[ée]ponse automatique|absence du bureau|absent du bureau|respuesta autom|fuera de la oficina|risposta autom"
    r"|fuori sede|fuori ufficio|resposta autom|fora do escrit|automatisch antwoord|afwezigheid|automatyczna odpowied"
    r"|odpowied[zź] automatyczna|nieobecno|رد تلقائي|الرد التلقائي|خارج المكتب|מענה אוטומטי|תשובה אוטומטית)",
    re.IGNORECASE,
)
#: The beginning of the Message-ID of our mails.
_OURS = re.compile(r"<?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")


def read_event(provider: str, event: Any) -> DeliveryEvent | InboundMessage:
    """Return our event for one of anymail's: about a mail that we sent, or a mail to us."""
    return _received(provider, event) if hasattr(event, "message") else _tracked(provider, event)


def _tracked(provider: str, event: Any) -> DeliveryEvent:
    kind, reason = event.event_type, event.reject_reason
    soft = kind == "bounced" and _is_soft(provider, event.esp_event)
    words = next((text for text in (event.mta_response, event.description) if text), None)
    return DeliveryEvent(
        provider=provider,
        event_id=_event_id(event, kind),
        message_id=_our_id(event.metadata) or _id_in(event.message_id),
        provider_message_id=storable(event.message_id),
        address=storable(event.recipient),
        event=_EVENTS.get(kind),
        suppression=None if soft else _REJECTIONS.get(reason or "") if kind == "rejected" else _SUPPRESSIONS.get(kind),
        user_agent=storable(event.user_agent),
        reason_text=storable(words) or kind,
    )


def _received(provider: str, event: Any) -> InboundMessage:
    message = event.message
    sender = message.envelope_sender or (
        message.from_email.addr_spec if hasattr(message.from_email, "addr_spec") else None
    )
    body = message.text
    if body is None:
        body = message.html or ""
    message_id = storable(message["Message-ID"]) or _event_id(event, "inbound", sender, message.subject, body)
    return InboundMessage(
        channel=Channel.EMAIL,
        provider=provider,
        event_id=f"received:{message_id}"[:EVENT_ID_LENGTH],
        provider_message_id=message_id,
        address=storable(sender) or "",
        subject=storable(message.subject),
        body=storable(message.stripped_text or body) or "",
        references=_references(message),
        automatic=_is_automatic(message),
    )


def _is_automatic(message: Any) -> bool:
    """Report whether a machine answered (RFC 3834), by its headers or by the usual beginnings of its subject."""
    submitted = str(message["Auto-Submitted"] or "no").partition(";")[0].strip().lower()
    precedence = str(message["Precedence"] or "").strip().lower()
    if submitted != "no" or precedence in _MACHINES or any(message[name] for name in _AUTOREPLY_HEADERS):
        return True
    return bool(_AUTOREPLY_SUBJECT.match(" ".join(str(message.subject or "").split())[:100]))


def _is_soft(provider: str, event: Any) -> bool:
    """Report whether a bounce is only for now, such as a full mailbox, by the service's own event; else it is for good."""
    if not isinstance(event, dict):
        return False
    match provider:
        case "amazon_ses":
            return (event.get("bounce") or {}).get("bounceType") in ("Transient", "Undetermined")
        case "postmark":
            return event.get("RecordType") == "Bounce" and event.get("Type") not in _POSTMARK_HARD
        case "sendgrid":
            return event.get("type") == "blocked" or str(event.get("status", "")).startswith("4.")
        case "brevo" | "sendinblue":
            return str(event.get("event", "")) in ("soft_bounce", "deferred")
        case "mandrill":
            return str(event.get("event", "")) == "soft_bounce"
        case "mailersend":
            return str(event.get("type", "")).endswith("soft_bounced")
        case "mailjet":
            return event.get("hard_bounce") is False
        case "resend":
            return ((event.get("data") or {}).get("bounce") or {}).get("type") in ("Transient", "Undetermined")
        case "sparkpost":
            return str(event.get("bounce_class", "")) not in _SPARKPOST_HARD
        case "mailtrap":
            return str(event.get("event", "")) == "soft bounce"
    return False


def _references(message: Any) -> tuple[str, ...]:
    """Return the Message-IDs that a mail answers, the nearest first (RFC 5322, 3.6.4)."""
    parent, line = str(message["In-Reply-To"] or ""), str(message["References"] or "")
    found = [*_MESSAGE_ID.findall(parent), *reversed(_MESSAGE_ID.findall(line))]
    return tuple(dict.fromkeys(storable(one) or "" for one in found))[:_MOST_REFERENCES]


def _event_id(event: Any, kind: str, *more: object) -> str:
    """Return the service's id of the event with its kind, or else a digest of its distinguishing fields."""
    if event.event_id:
        return f"{kind}:{storable(str(event.event_id))}"[:EVENT_ID_LENGTH]
    parts = (kind, event.timestamp, getattr(event, "message_id", None), getattr(event, "recipient", None), *more)
    return "sha256:" + hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()


def _our_id(metadata: Any) -> uuid.UUID | None:
    return our_id(metadata.get("log_id")) if isinstance(metadata, Mapping) else None


def _id_in(message_id: object) -> uuid.UUID | None:
    """Return our id from the Message-ID of our mail. A service that gets mail by SMTP knows it by that."""
    found = _OURS.match(str(message_id or ""))
    return our_id(found[1]) if found else None
