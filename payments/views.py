"""Views that payment providers and their payers call: events, and the page of the demo's provider."""

import json
import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from communications.texts import formats
from payments import provider_events
from payments.models import PaymentIntent
from payments.providers import demo
from payments.providers.base import Kind, NotAuthentic
from payments.providers.registry import PROVIDERS

_EVENT = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/JsonValue"}}


class ProviderEventView(APIView):
    """Events of payment providers."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    refusals = {"": (403, 422)}

    @extend_schema(
        operation_id="receiveProviderEvent",
        request={"application/json": _EVENT},
        responses={200: None},
        parameters=[
            OpenApiParameter("provider", str, OpenApiParameter.PATH, description="Its name, such as `stripe`.")
        ],
    )
    def post(self, request: Request, provider: str) -> HttpResponse:
        """Store an event of a payment provider, once; a worker handles it."""
        sender = PROVIDERS.get(provider)
        if sender is None:
            raise Http404
        raw = request._request  # Signatures cover the bytes, and DRF has not read them.
        if provider != settings.PAYMENT_PROVIDER:
            raise NotAuthentic
        event_id, event = sender.verify(raw.body, raw.headers)
        provider_events.store(provider, event_id, event, now=timezone.now())
        return HttpResponse()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def demo_page(request: HttpRequest, intent_id: uuid.UUID) -> HttpResponse:
    """Show the page of the demo's provider, and report what the payer does there; outside the demo there is no such page."""
    if not settings.DEMO or demo.Demo.name != settings.PAYMENT_PROVIDER:
        raise Http404
    intent = get_object_or_404(PaymentIntent, pk=intent_id, provider=demo.Demo.name)
    if request.method == "POST":
        kind = Kind.CAPTURED if "pay" in request.POST else Kind.FAILED
        now = timezone.now()
        event = {
            "id": f"{kind}-{uuid.uuid4()}",
            "kind": kind.value,
            "intent": str(intent.pk),
            "amount": str(intent.amount),
            "currency": intent.currency_code,
            "at": now.isoformat(),
        }
        body = json.dumps(event).encode()
        event_id, read = PROVIDERS[demo.Demo.name].verify(body, {demo.SIGNATURE: demo.sign(body)})
        provider_events.store(demo.Demo.name, event_id, read, now=now)
        here = reverse("portal-payment", args=[intent.pk])
        return redirect(f"{here}?returned=1" if kind == Kind.CAPTURED else here)
    shown = formats.amount(intent.amount, intent.currency_code, language="en")
    return render(request, "payments/demo_provider.html", {"intent": intent, "amount": shown})
