"""Views that belong to no app: home page, health, metrics and the description of the API."""

import hmac
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agency import profile
from ddc.common.api.problems import RETRY_AFTER_OUTAGE, http_problem, problem
from ddc.common.api.rendering import ORJSONRenderer
from ddc.common.api.serializers import CamelSerializer
from ddc.common.api.views import AnonymousView
from ddc.common.observing import health, metrics


def agency(request: HttpRequest) -> dict[str, Any]:
    """Give every template the agency's name, contact details and look."""
    return {"agency": profile.current()}


class HealthSerializer(CamelSerializer):
    status = serializers.CharField()
    database = serializers.CharField()
    broker = serializers.CharField()
    providers_down = serializers.ListField(
        child=serializers.CharField(), help_text="Providers that get no messages at present."
    )
    version = serializers.CharField()


class HealthView(AnonymousView):
    """Report whether the system and the services that it needs are up."""

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
    """The OpenAPI 3.1 description of this API."""


class DocsView(SpectacularSwaggerSplitView):
    """A page that shows the description and tries it out. Its script and styles are files, as its policy demands."""

    template_name = "docs.html"
    metadata_class = None  # The page's template cannot answer OPTIONS.

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        if answer.exception:
            answer.accepted_renderer = ORJSONRenderer()
        return answer


@method_decorator(csrf_exempt, name="dispatch")  # It accepts no input.
class HomeView(TemplateView):
    """The home page: in production the portal, because debtors are who types the bare address."""

    template_name = "home.html"
    extra_context = {"demo": settings.DEMO}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead debtors to the portal. On a developer's machine, show a page with links to all parts."""
        return redirect("portal") if settings.PRODUCTION else super().get(request, *args, **kwargs)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = http_problem(request, 405, f'Method "{request.method}" not allowed.')
        response["Allow"] = "GET, HEAD, OPTIONS"
        return response


@csrf_exempt  # It accepts no input.
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Answer the metrics to clients with METRICS_TOKEN. Without that setting the page does not exist."""
    if not settings.METRICS_TOKEN:
        return http_problem(request, 404, "This resource does not exist.")
    if request.method not in ("GET", "HEAD"):
        response = http_problem(request, 405, f'Method "{request.method}" not allowed.')
        response["Allow"] = "GET, HEAD"
        return response
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {settings.METRICS_TOKEN}".encode()):
        response = http_problem(request, 401, "Send METRICS_TOKEN as a bearer token.")
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)
