"""Callbacks of mail providers: each checked by anymail's own code, or better, and read into plain news."""

import base64
import hashlib
import warnings
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, QueryDict, RawPostDataException

from communications.callbacks.events import CallbackEvent, UnparsedCallback
from communications.channels.webhooks import mailgun, sns
from communications.channels.webhooks.mail_events import read_event
from communications.channels.webhooks.refusals import Challenge, NotAuthentic

log = structlog.get_logger(__name__)

#: The last word of a view's name in anymail, per path.
_KINDS = {"tracking": "TrackingWebhookView", "inbound": "InboundWebhookView"}
PROVIDERS = {
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
_FORM = "application/x-www-form-urlencoded"


def is_known(provider: str, kind: str) -> bool:
    return _view_class(provider, kind) is not None


@cache
def _view_class(provider: str, kind: str) -> Any:
    if provider not in PROVIDERS:
        return None
    module = import_module(f"anymail.webhooks.{provider}")
    found = getattr(module, PROVIDERS[provider] + _KINDS[kind], None)
    return found or getattr(module, f"{PROVIDERS[provider]}CombinedWebhookView", None)


def read(provider: str, kind: str, request: HttpRequest, *, now: datetime) -> list[CallbackEvent]:
    """Check who calls, then return what happened. What is rightly signed and can't be read is kept as it came.

    :raises NotAuthentic: if the signature is wrong, or the provider is not configured
    :raises Challenge: if Amazon SNS has yet to be asked for its credentials
    """
    view = _authentic(provider, kind, request)
    told: list[CallbackEvent]
    try:
        told = [read_event(provider, event) for event in view.parse_events(request)]
    except Exception as error:  # Each provider's reader has its own ways to fail.
        log.warning("callback_unreadable", provider=provider, kind=kind, error=type(error).__name__)
        told = [_unread(provider, kind, request)]
    return mailgun.once(told, request, now=now) if provider == mailgun.PROVIDER else told


def _unread(provider: str, kind: str, request: HttpRequest) -> UnparsedCallback:
    body = _body(request)
    return UnparsedCallback(
        provider=provider,
        event_id=f"unread:{hashlib.sha256(body).hexdigest()}",
        kind=kind,
        body=base64.b64encode(body).decode(),
        content_type=_FORM if request.POST else request.content_type or "",
        headers={name: value for name, value in request.headers.items() if name.startswith("X-")},
    )


def read_again(callback: UnparsedCallback) -> list[CallbackEvent]:
    """Read what couldn't be read when it came; it was found to be authentic then. Breaks if it still can't be."""
    body = base64.b64decode(callback.body)
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in callback.headers.items()}
    request = HttpRequest()
    request.method, request.content_type = "POST", callback.content_type
    request.META = {
        **meta,
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": callback.content_type,
        "CONTENT_LENGTH": str(len(body)),
    }
    if callback.content_type == _FORM:
        request.POST = QueryDict(body)
        request._post_parse_error = False  # type: ignore[attr-defined]
    request._body = body
    view = _view(callback.provider, callback.kind, request)
    return [read_event(callback.provider, event) for event in view.parse_events(request)]


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
