"""API of strategy rules and runs."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ddc.common.api.serializers import write
from ddc.common.api.views import ResourceView
from strategy import rules, runs
from strategy.models import StrategyRule, StrategyRun
from strategy.serializers import RunInputSerializer, StrategyRuleSerializer, StrategyRunSerializer


class StrategyRuleView(ResourceView):
    """Strategy rules: which template goes to which segment, and when."""

    queryset = StrategyRule.objects.all()
    serializer_class = StrategyRuleSerializer

    def perform_create(self, data: dict[str, Any]) -> StrategyRule:
        return rules.create(**data)

    def perform_update(self, instance: StrategyRule, data: dict[str, Any]) -> None:
        rules.amend(instance, **data)

    def perform_destroy(self, instance: StrategyRule) -> None:
        rules.delete(instance)


class StrategyRunView(ResourceView):
    """Strategy runs, dry and real. A worker carries out a planned run."""

    queryset = StrategyRun.objects.all()
    serializer_class = StrategyRunSerializer

    @extend_schema(request=RunInputSerializer, responses={202: StrategyRunSerializer})
    def create(self, request: Request) -> Response:
        given = self.read(RunInputSerializer)
        run = runs.plan(dry_run=given["dry_run"], day=given.get("date"), by=self.agent, now=timezone.now())
        return Response(write(StrategyRunSerializer, run), 202)
