"""Endpoints that belong to no domain."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from ddc.common import health
from ddc.common.api.problems import RETRY_AFTER_OUTAGE, problem
from ddc.common.api.serializers import CamelSerializer
from ddc.common.api.views import View


class HealthSerializer(CamelSerializer):
    status = serializers.CharField()
    database = serializers.CharField()
    broker = serializers.CharField()
    version = serializers.CharField()


class HealthView(View):
    """Whether the system and the parts that it needs are up."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=HealthSerializer)
    def retrieve(self, request: Request) -> Response:
        parts = health.check()
        down = [name for name, state in parts.items() if state != "ok"]
        answer = {"status": "ok", **parts, "version": settings.VERSION}
        if not down:
            return Response(answer)
        body = problem(503, f"Down: {', '.join(down)}.") | parts | {"version": settings.VERSION}
        return Response(body, status=503, headers={"Retry-After": str(RETRY_AFTER_OUTAGE)})


class SchemaView(SpectacularJSONAPIView):
    """The description of this API, as OpenAPI 3.1."""
