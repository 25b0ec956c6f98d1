"""Endpoints that belong to no domain."""

import hmac
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ddc.common.api.problems import RETRY_AFTER_OUTAGE, http_problem, problem
from ddc.common.api.rendering import ORJSONRenderer
from ddc.common.api.serializers import CamelSerializer
from ddc.common.api.views import View
from ddc.common.observing import health, metrics


class HealthSerializer(CamelSerializer):
    status = serializers.CharField()
    database = serializers.CharField()
    broker = serializers.CharField()
    providers_down = serializers.ListField(
        child=serializers.CharField(), help_text="Providers of messages to whom nothing is sent for now."
    )
    version = serializers.CharField()


class HealthView(View):
    """Whether the system and the parts that it needs are up."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=HealthSerializer)
    def retrieve(self, request: Request) -> Response:
        parts, details = health.check()
        down = [name for name, state in parts.items() if state != "ok"]
        if not down:
            answer = {"status": "ok", **parts, **details, "version": settings.VERSION}
            return Response(HealthSerializer(answer).data)
        body = problem(503, f"Down: {', '.join(down)}.") | parts | {"version": settings.VERSION}
        return Response(body, status=503, headers={"Retry-After": str(RETRY_AFTER_OUTAGE)})


class SchemaView(SpectacularJSONAPIView):
    """The description of this API, as OpenAPI 3.1."""


class DocsView(SpectacularSwaggerSplitView):
    """A page to read the description and try it out."""

    metadata_class = None  # The page's template has nothing to say to OPTIONS.

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        if answer.exception:
            answer.accepted_renderer = ORJSONRenderer()
        return answer


@method_decorator(csrf_exempt, name="dispatch")  # It takes nothing in.
class HomeView(TemplateView):
    """Where people start."""

    template_name = "home.html"
    extra_context = {"demo": settings.DEMO}

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = http_problem(request, 405, f'Method "{request.method}" not allowed.')
        response["Allow"] = "GET, HEAD, OPTIONS"
        return response


@csrf_exempt  # It takes nothing in.
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Show the figures to whoever has METRICS_TOKEN; without one there is no such page."""
    if not settings.METRICS_TOKEN:
        return http_problem(request, 404, "There is no such resource.")
    if request.method not in ("GET", "HEAD"):
        response = http_problem(request, 405, f'Method "{request.method}" not allowed.')
        response["Allow"] = "GET, HEAD"
        return response
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {settings.METRICS_TOKEN}".encode()):
        response = http_problem(request, 401, "The figures are for whoever has METRICS_TOKEN.")
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)
