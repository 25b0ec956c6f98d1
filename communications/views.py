"""Views that are called without an account: the open pixel, the callbacks of providers, and the demo's outbox."""

import base64

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from communications.callbacks import delivery_events, inbox, keypad
from communications.callbacks.readers import registry as readers
from communications.callbacks.readers.base import Challenge
from communications.channels.events import Unreadable
from communications.links import unsubscribe_link
from communications.models import CommunicationLog
from communications.providers import registry as providers
from communications.providers.base import CallbackKind
from communications.texts import one_time_code
from ddc.common import page_language
from ddc.common.api.problems import http_problem
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_DEMO_MESSAGES = 100
_FORM = {"type": "object", "additionalProperties": {"type": "string"}}
_VALUE = {"$ref": "#/components/schemas/JsonValue"}
_EVENT = {"type": "object", "additionalProperties": _VALUE}
_EVENTS = {
    "description": "As the provider sends it: an event, or a list of them. Its own documentation names the members.",
    "anyOf": [_EVENT, {"type": "array", "items": _EVENT}],
}


class PublicView(APIView):
    """A view for callers without an account; a signature authenticates them where it matters."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


#: The headers by which a browser or proxy says that nobody looks yet.
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def _purpose(request: Request) -> str:
    """Return the purpose of a fetch in its own words; nobody sees the picture that HEAD asks about."""
    stated = " ".join(request.headers.get(name, "") for name in _PURPOSES)
    return "prefetch" if request.method == "HEAD" else stated


class OpenView(PublicView):
    @extend_schema(operation_id="trackOpening", responses={(200, "image/gif"): OpenApiTypes.BINARY})
    def get(self, request: Request, token: str) -> HttpResponse:
        """Count the opening if the token is valid, and answer with a picture of one pixel."""
        delivery_events.record_open(
            token,
            user_agent=request.headers.get("User-Agent", ""),
            purpose=_purpose(request),
            now=timezone.now(),
        )
        return HttpResponse(_GIF, content_type="image/gif", headers={"Cache-Control": "no-store"})


class MailCallbackView(PublicView):
    """Callbacks of mail services."""

    kind = "tracking"
    refusals = {"": (401, 403)}

    @extend_schema(
        request={
            "application/json": _EVENTS,
            "application/x-www-form-urlencoded": _FORM,
            "multipart/form-data": _FORM,
        },
        responses={200: None},
        parameters=[OpenApiParameter("provider", str, OpenApiParameter.PATH, description="anymail's name of it.")],
    )
    def post(self, request: Request, provider: str) -> HttpResponse:
        """Store the events of a mail service's callback, each once; a worker processes them."""
        reader = readers.READERS.get(provider)
        if reader is None or not reader.handles(self.kind):
            raise Http404
        now = timezone.now()
        try:
            events = readers.read(reader, self.kind, _raw(request), now=now)
        except Challenge as challenge:
            response = http_problem(
                request, 401, "This callback needs the shared secret. Send it by HTTP Basic authentication."
            )
            response["WWW-Authenticate"] = f'Basic realm="{challenge.realm}"'
            return response
        inbox.store(events, now=now)
        return HttpResponse()


class ProviderCallbackView(PublicView):
    """Callbacks of providers of SMS and voice."""

    kind = CallbackKind.STATUS
    refusals = {"": (403,)}

    @extend_schema(
        request={"application/x-www-form-urlencoded": _FORM},
        responses={(200, "text/xml"): OpenApiTypes.STR, 204: None},
        parameters=[
            OpenApiParameter("provider", str, OpenApiParameter.PATH, description="Its name, such as `twilio`."),
            OpenApiParameter("log", OpenApiTypes.UUID, description="The message that the callback is about."),
        ],
    )
    def post(self, request: Request, provider: str) -> HttpResponse:
        """Store a provider's event, once, and reply with what is spoken if it is a call; a worker processes the event."""
        sender = providers.PROVIDERS.get(provider)
        if sender is None:
            raise Http404
        callback = _raw(request)
        sender.verify_callback(callback)
        try:
            parsed = sender.parse_callback(self.kind, callback)
        except Unreadable:
            inbox.keep_unreadable(provider, self.kind, callback.POST.urlencode(), now=timezone.now())
            raise
        events, prompt = keypad.react(parsed)
        inbox.store(events, now=timezone.now())
        return sender.reply(self.kind, prompt)


class UnsubscribeView(PublicView):
    """The unsubscribe page of a mail. The token is enough: mail programs post here on their own, without cookies (RFC 8058)."""

    @extend_schema(
        operation_id="showUnsubscribing",
        responses={(200, "text/html"): OpenApiTypes.STR, (404, "text/html"): OpenApiTypes.STR},
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """Show a page with one button. A GET changes nothing, because scanners follow links."""
        return self.page(request, unsubscribe_link.mail_of(token))

    @extend_schema(
        operation_id="unsubscribe",
        request={"application/x-www-form-urlencoded": _FORM},
        responses={(200, "text/html"): OpenApiTypes.STR, (404, "text/html"): OpenApiTypes.STR},
    )
    def post(self, request: Request, token: str) -> HttpResponse:
        """Suppress the address that got the mail with this link."""
        sent = unsubscribe_link.mail_of(token)
        if sent and sent.address:
            contact_points.suppress(
                sent.address,
                channel=Channel.EMAIL,
                reason=SuppressionReason.OPTED_OUT,
                source="Unsubscribe link in a mail",
                now=timezone.now(),
            )
        return self.page(request, sent, done=sent is not None)

    def page(self, request: Request, sent: CommunicationLog | None, *, done: bool = False) -> HttpResponse:
        preferred = sent.debtor.language_preference if sent and sent.debtor else None
        with translation.override(page_language.of(_raw(request), preferred)):
            page = render(
                _raw(request),
                "communications/unsubscribe.html",
                {"known": sent is not None, "done": done},
                status=200 if sent else 404,
            )
        page["Cache-Control"], page["X-Robots-Tag"] = "no-store", "noindex"
        return page


def _raw(request: Request) -> HttpRequest:
    """Return the request as it came: signatures cover its bytes, and DRF has not read it."""
    return request._request


@require_GET
@never_cache
def demo_page(request: HttpRequest) -> HttpResponse:
    """Show the newest messages of the demo with their codes; outside the demo there is no such page."""
    if not settings.DEMO:
        raise Http404
    sent = CommunicationLog.objects.filter(direction=CommunicationLog.Direction.OUTBOUND).select_related("debtor")
    newest = list(sent.defer("html").order_by("-created_at", "-id")[:_DEMO_MESSAGES])
    for message in newest:
        if message.body and message.one_time_code_of:  # Codes are not stored.
            code = one_time_code.derive(message.one_time_code_of)
            message.body = message.body.replace(one_time_code.MASK, code)
    return render(request, "communications/demo_outbox.html", {"messages": newest})
