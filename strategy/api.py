"""API of strategy rules and runs."""

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from collection.models import Debt
from ddc.common.api.serializers import write
from ddc.common.api.views import ResourceView, View
from strategy import explain, reports, rules, runs, withdrawals
from strategy.models import StrategyRule, StrategyRun
from strategy.rule_serializers import StrategyRuleSerializer
from strategy.serializers import (
    OutcomesSerializer,
    PlanSerializer,
    RunInputSerializer,
    StrategyRunSerializer,
    WithdrawalInputSerializer,
    WithdrawalSerializer,
)


class StrategyRuleView(ResourceView):
    """Strategy rules: which template goes to which segment, and when."""

    queryset = StrategyRule.objects.all()
    serializer_class = StrategyRuleSerializer

    def perform_create(self, data: dict[str, Any]) -> StrategyRule:
        return rules.create(**data)

    def perform_update(self, instance: StrategyRule, data: dict[str, Any]) -> None:
        rules.amend(instance, now=timezone.now(), **data)

    def perform_destroy(self, instance: StrategyRule) -> None:
        rules.delete(instance)


class StrategyRunView(ResourceView):
    """Strategy runs, dry and real. A worker carries out a planned run."""

    queryset = StrategyRun.objects.all()
    serializer_class = StrategyRunSerializer

    required_permissions = {"outcomes": "strategy.view_strategyrun"}

    @extend_schema(operation_id="listRunOutcomes", responses=OutcomesSerializer)
    def outcomes(self, request: Request, pk: uuid.UUID) -> Response:
        """Count the run's messages by their status now, and blocked ones by reason code, such as STALE or WITHDRAWN."""
        return Response(write(OutcomesSerializer, {"data": reports.outcomes(self.get_object(pk))}))

    @extend_schema(request=RunInputSerializer, responses={202: StrategyRunSerializer})
    def create(self, request: Request) -> Response:
        given = self.read(RunInputSerializer)
        day, until = given.get("date"), given.get("until")
        try:
            run = runs.plan(dry_run=given["dry_run"], day=day, until=until, by=self.agent, now=timezone.now())
        except runs.InvalidSimulation as refusal:
            raise runs.InvalidSimulation(field="to") from refusal
        return Response(write(StrategyRunSerializer, run), 202)


class PlanView(View):
    """The strategy of one debt."""

    queryset = Debt.objects.select_related("segment")
    required_permissions = {"retrieve": "strategy.view_strategyrule"}

    @extend_schema(operation_id="getDebtStrategy", responses=PlanSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Explain what the rules of the debt's segment did, do next and leave out, and why."""
        debt = get_object_or_404(self.queryset, pk=pk)
        return Response(write(PlanSerializer, explain.plan(debt, now=timezone.now())))


class WithdrawalView(View):
    """Withdraw queued messages."""

    required_permissions = {"create": withdrawals.PERMISSION}

    @extend_schema(
        operation_id="withdrawMessages", request=WithdrawalInputSerializer, responses={200: WithdrawalSerializer}
    )
    def create(self, request: Request) -> Response:
        """Withdraw the queued messages of a rule, a run, a creditor or a debtor, or count them if the request is dry."""
        given = self.read(WithdrawalInputSerializer)
        if self.ignored:
            error = exceptions.ErrorDetail("Unknown field. Nothing was withdrawn.", "unknown")
            raise exceptions.ValidationError({name: [error] for name in self.ignored})
        dry_run, reason = given.pop("dry_run"), given.pop("reason", None)
        selection, now = withdrawals.Selection(**given), timezone.now()
        if dry_run:
            found = withdrawals.preview(selection, now=now)
        else:
            found = withdrawals.withdraw(selection, by=self.agent, reason=reason, now=now)
        answer = {
            "dry_run": dry_run,
            "withdrawn": found.messages,
            "call_tasks": found.call_tasks,
            "not_stopped": [{"status": status, "count": count} for status, count in found.not_stopped.items()],
        }
        return Response(write(WithdrawalSerializer, answer))
