"""Arrangements over HTTP for the signed-in debtor, who sees choices but no limits."""

import uuid
from itertools import groupby
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arrangements import changes, choices, decisions, proposals
from arrangements.models import Arrangement, Kind
from arrangements.serializers import (
    ChangedScheduleSerializer,
    ChoiceSerializer,
    PaidInstalmentSerializer,
    ScheduleSerializer,
    ShareSerializer,
    instalment,
    shown,
)
from collection.models import OPEN, Debt, DebtStatus
from ddc.common.api.fields import BooleanField, ChoiceField, DateField, IntegerField, MoneyField, TimeField
from ddc.common.api.serializers import CamelSerializer, write
from ddc.common.api.views import Annotated
from ddc.common.errors import DomainError
from debtors import calendars
from portal.api import NEWEST, DebtorView


class MyOptionSerializer(ChoiceSerializer):
    """A choice of the debtor, and the debts that it is about; what needs an agent is not among the choices."""

    debt_ids = serializers.ListField(child=serializers.UUIDField())


class MyOptionsSerializer(CamelSerializer):
    options = MyOptionSerializer(many=True)


class MyArrangementSerializer(CamelSerializer):
    """An arrangement as its debtor sees it."""

    id = serializers.UUIDField(read_only=True)
    kind = ChoiceField(Kind.values, read_only=True)
    status = ChoiceField(Arrangement.Status.values, read_only=True)
    currency_code = serializers.CharField(read_only=True)
    total = MoneyField(read_only=True)
    discount = MoneyField(read_only=True)
    expires_on = DateField(read_only=True, allow_null=True)
    created_at = TimeField(read_only=True)
    debts = ShareSerializer(many=True, read_only=True)
    instalments = PaidInstalmentSerializer(many=True, read_only=True)


class MyArrangementsSerializer(CamelSerializer):
    arrangements = MyArrangementSerializer(many=True)


class MyProposalSerializer(CamelSerializer):
    """The debtor's choice. Within the rules it is active at once; beyond them an agent decides."""

    decisive = ("total", "discount")

    kind = ChoiceField(Kind.values)
    debt_ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)
    total = MoneyField(required=False, allow_null=True, positive=True)
    discount = MoneyField(required=False, allow_null=True, positive=True)
    schedule = ScheduleSerializer()


class MyDelaySerializer(CamelSerializer):
    """Another day for one instalment; ``dryRun`` only shows the schedule."""

    decisive = ("dry_run",)

    instalment_no = IntegerField(min_value=1)
    due_on = DateField()
    dry_run = BooleanField(required=False)


class MyOptionsView(DebtorView):
    serializer_class = MyOptionsSerializer

    @extend_schema(operation_id="myArrangementOptions", responses=MyOptionsSerializer)
    def retrieve(self, request: Request) -> Response:
        debts = Debt.objects.filter(
            debtor=self.debtor, current_status__in=OPEN, disputed_amount=0, current_balance__gt=0
        )
        mine = debts.exclude(current_status=DebtStatus.DISPUTED).select_related("creditor")
        found: list[Any] = []
        for _, together in groupby(mine.order_by("creditor", "currency_code")[:NEWEST], _group):
            found += self._choices(list(together))
        return Response(write(MyOptionsSerializer, {"options": found}))

    def _choices(self, debts: list[Debt]) -> list[Any]:
        try:
            offers = choices.choices(debts, debtor=self.debtor, by=None, now=timezone.now())
        except DomainError:
            return []
        return [Annotated(offer, debt_ids=[debt.pk for debt in debts]) for offer in offers if not offer.needs]


class MyArrangementsView(DebtorView):
    serializer_class = MyArrangementSerializer
    steps = {"create": "plan_agreed", "change": "instalment_delayed"}

    @extend_schema(operation_id="myArrangements", responses=MyArrangementsSerializer)
    def retrieve(self, request: Request) -> Response:
        found = list(self._mine()[:NEWEST])
        return Response(write(MyArrangementsSerializer, {"arrangements": self._shown(found)}))

    @extend_schema(
        operation_id="agreeToArrangement", request=MyProposalSerializer, responses={201: MyArrangementSerializer}
    )
    def create(self, request: Request) -> Response:
        given = self.read(MyProposalSerializer)
        now = timezone.now()
        arrangement = proposals.propose(
            Kind(given.pop("kind")), **given, debtor=self.debtor, by=None, source=Arrangement.Source.PORTAL, now=now
        )
        if arrangement.status == Arrangement.Status.OFFERED:
            decisions.accept(arrangement, by=None, now=now)
        (agreed,) = self._shown([self._mine().get(pk=arrangement.pk)])
        return Response(write(MyArrangementSerializer, agreed), 201)

    @extend_schema(operation_id="delayInstalment", request=MyDelaySerializer, responses=ChangedScheduleSerializer)
    def change(self, request: Request, pk: uuid.UUID) -> Response:
        arrangement, given = get_object_or_404(self._mine(), pk=pk), self.read(MyDelaySerializer)
        dues = changes.delay(
            arrangement,
            given["instalment_no"],
            to=given["due_on"],
            by=None,
            dry_run=given.get("dry_run", False),
            now=timezone.now(),
        )
        schedule = [instalment(due, arrangement.currency_code) for due in dues]
        return Response(write(ChangedScheduleSerializer, {"instalments": schedule}))

    def _mine(self) -> Any:
        return Arrangement.objects.filter(debtor=self.debtor).select_related("creditor").prefetch_related("parts")

    def _shown(self, arrangements: list[Arrangement]) -> list[Any]:
        return shown(arrangements, day=calendars.today(self.debtor, at=timezone.now()))


def _group(debt: Debt) -> tuple[uuid.UUID, str]:
    return debt.creditor_id, debt.currency_code
