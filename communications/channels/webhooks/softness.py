"""Which bounces are for now alone: a full mailbox gets no mail today, and its address stays good."""

from typing import Any

#: Postmark's types that say for good that there is nobody.
_POSTMARK_HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
#: SparkPost's bounce classes for good: invalid recipient, no such host, no recipient.
_SPARKPOST_HARD = frozenset({"10", "30", "90"})


def is_soft(provider: str, event: Any) -> bool:
    """Tell whether the provider's own event says that a bounce may pass. Where nothing says so, it is for good."""
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
