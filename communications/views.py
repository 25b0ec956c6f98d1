"""What is called from outside without an account: the open pixel, the providers' callbacks, and the demo's outbox."""

import base64
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from communications import demo_outbox
from communications.callbacks import delivery_events, inbox, keypad, unsubscribe
from communications.channels import spoken
from communications.channels.webhooks import mail, twilio
from communications.channels.webhooks.refusals import Challenge
from communications.models import CommunicationLog
from communications.providers import registry
from ddc.common.api.problems import http_problem

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_FORM = {"type": "object", "additionalProperties": {"type": "string"}}
_VALUE = {"$ref": "#/components/schemas/JsonValue"}
_EVENT = {"type": "object", "additionalProperties": _VALUE}
_EVENTS = {
    "description": "As the provider sends it: an event, or a list of them. Its own documentation names the members.",
    "anyOf": [_EVENT, {"type": "array", "items": _EVENT}],
}


class PublicView(APIView):
    """A view for those who have no account; whoever needs to be known is known by a signature."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class OpenView(PublicView):
    @extend_schema(operation_id="trackOpening", responses={(200, "image/gif"): OpenApiTypes.BINARY})
    def get(self, request: Request, token: str) -> HttpResponse:
        """Answer with a picture of one pixel, and count the opening if the token is one of ours."""
        delivery_events.record_open(
            token,
            user_agent=request.headers.get("User-Agent", ""),
            purpose=f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}",
            now=timezone.now(),
        )
        return HttpResponse(_GIF, content_type="image/gif", headers={"Cache-Control": "no-store"})


class MailCallbackView(PublicView):
    """Callbacks of mail providers, as anymail reads them."""

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
        """Keep what a mail provider tells, once; a worker deals with it."""
        if not mail.is_known(provider, self.kind):
            raise Http404
        now = timezone.now()
        try:
            told = mail.read(provider, self.kind, _untouched(request), now=now)
        except Challenge as challenge:
            response = http_problem(request, 401, "This call needs the secret that was agreed on.")
            response["WWW-Authenticate"] = f'Basic realm="{challenge.realm}"'
            return response
        inbox.store(told, now=now)
        return HttpResponse()


class TwilioStatusView(PublicView):
    refusals = {"": (403,)}

    @extend_schema(
        operation_id="takeTwilioStatus", request={"application/x-www-form-urlencoded": _FORM}, responses={204: None}
    )
    def post(self, request: Request) -> HttpResponse:
        """Keep what became of an SMS or a call, once; a worker deals with it."""
        inbox.store([twilio.read_status(_untouched(request))], now=timezone.now())
        return HttpResponse(status=204)


class TwilioInboundView(PublicView):
    refusals = {"": (403,)}

    @extend_schema(
        operation_id="takeTwilioMessage",
        request={"application/x-www-form-urlencoded": _FORM},
        responses={(200, "text/xml"): OpenApiTypes.STR},
    )
    def post(self, request: Request) -> HttpResponse:
        """Keep an SMS to us, once, and answer nothing to it; a worker deals with it."""
        inbox.store([twilio.read_inbound(_untouched(request))], now=timezone.now())
        return HttpResponse("<Response/>", content_type="text/xml")


class TwilioKeyView(PublicView):
    refusals = {"": (403,)}

    @extend_schema(
        operation_id="takeTwilioKey",
        request={"application/x-www-form-urlencoded": _FORM},
        responses={(200, "text/xml"): OpenApiTypes.STR},
        parameters=[OpenApiParameter("log", OpenApiTypes.UUID, description="The call's message.")],
    )
    def post(self, request: Request) -> HttpResponse:
        """Answer a key that was pressed in a call: 1 hears the message, 9 ends all calls to that number."""
        pressed = twilio.read_key(_untouched(request))
        if pressed.digit in (spoken.HEAR, spoken.OPT_OUT):
            inbox.store([pressed], now=timezone.now())
        script = spoken.on_key(keypad.call_of(pressed.message_id), pressed.digit)
        return registry.PROVIDERS["twilio"].speak(script)


class TwilioAnswerView(PublicView):
    refusals = {"": (403,)}

    @extend_schema(
        operation_id="answerTwilioCall",
        request={"application/x-www-form-urlencoded": _FORM},
        responses={(200, "text/xml"): OpenApiTypes.STR},
        parameters=[OpenApiParameter("log", OpenApiTypes.UUID, description="The call's message.")],
    )
    def post(self, request: Request) -> HttpResponse:
        """Say what is spoken to whoever picked up; a machine hears nothing of the debt, and it is noted that one answered."""
        answered = twilio.read_answer(_untouched(request))
        if answered.by_machine:
            inbox.store([answered.news(spoken.machine_note())], now=timezone.now())
        script = spoken.on_answer(keypad.call_of(answered.message_id), by_machine=answered.by_machine)
        return registry.PROVIDERS["twilio"].speak(script)


class UnsubscribeView(PublicView):
    """A mail's way out. The token is all that it takes: mail programs post here by themselves (RFC 8058), without cookies."""

    @extend_schema(
        operation_id="showUnsubscribing",
        responses={(200, "text/html"): OpenApiTypes.STR, (404, "text/html"): OpenApiTypes.STR},
    )
    def get(self, request: Request, token: str) -> HttpResponse:
        """Show a page with one button; nothing changes by looking, for scanners follow links."""
        return self.page(request, unsubscribe.mail_of(token))

    @extend_schema(
        operation_id="unsubscribe",
        request={"application/x-www-form-urlencoded": _FORM},
        responses={(200, "text/html"): OpenApiTypes.STR, (404, "text/html"): OpenApiTypes.STR},
    )
    def post(self, request: Request, token: str) -> HttpResponse:
        """Send no more mail to the address that the mail with this link went to."""
        sent = unsubscribe.mail_of(token)
        if sent:
            unsubscribe.unsubscribe(sent, now=timezone.now())
        return self.page(request, sent, done=sent is not None)

    def page(self, request: Request, sent: CommunicationLog | None, *, done: bool = False) -> HttpResponse:
        page = render(
            _untouched(request),
            "communications/unsubscribe.html",
            {"known": sent is not None, "done": done},
            status=200 if sent else 404,
        )
        page["Cache-Control"], page["X-Robots-Tag"] = "no-store", "noindex"
        return page


def _untouched(request: Request) -> HttpRequest:
    """The request as it came, for signatures are over its bytes; DRF has not read it."""
    return request._request


@require_GET
@never_cache
def demo_page(request: HttpRequest) -> HttpResponse:
    """Show the newest messages of the demo with their codes; there is no such page anywhere else."""
    if not settings.DEMO:
        raise Http404
    context: dict[str, Any] = {"messages": demo_outbox.newest()}
    return render(request, "communications/demo_outbox.html", context)
