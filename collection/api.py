"""Debts, their ledger, segments, deferral requests and the dashboard over HTTP."""

import uuid
from typing import Any

from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from arrangements import overview
from arrangements.serializers import OverviewSerializer
from collection import debts, deferrals
from collection.accounts.serializers import DebtAccountSerializer, payoff_fields
from collection.balances import accounts, interest, totals
from collection.models import (
    CostRule,
    Debt,
    DebtStatus,
    DeferralRequest,
    InterestSchedule,
    LedgerEntry,
    Segment,
    SeriesRate,
)
from collection.segments import records as segments
from collection.serializers import (
    ApprovalSerializer,
    DashboardSerializer,
    DebtInputSerializer,
    DebtSerializer,
    DebtWithSegmentSerializer,
    EarlyEndSerializer,
    HandStatusSerializer,
    LedgerEntrySerializer,
    RejectionSerializer,
    ReviewedDeferralRequestSerializer,
    SegmentSerializer,
    SegmentWithCountSerializer,
)
from collection.tariffs import cost_rules, rates, schedules
from collection.tariffs.serializers import (
    CostRuleSerializer,
    DebtInterestInputSerializer,
    DebtInterestSerializer,
    InterestScheduleAnswerSerializer,
    InterestScheduleSerializer,
    SeriesRateSerializer,
)
from ddc.common.api.filters import CharFilter, FilterSet, IdFilter, WordFilter
from ddc.common.api.serializers import write
from ddc.common.api.views import NEWEST, Annotated, ResourceView, View
from ddc.common.days import agency_today
from debtors.serializers import DebtorSerializer
from payments.models import Payment
from payments.serializers import PaymentSerializer


class DebtFilters(FilterSet):
    status = WordFilter(DebtStatus.values, field_name="current_status")
    debtor_id = IdFilter()
    segment_id = IdFilter()


class DebtPageSerializer(DebtWithSegmentSerializer, DebtAccountSerializer):
    """A debt with its account, its debtor, its segment, the status set by hand and its newest payments."""

    debtor = DebtorSerializer()
    status_by_hand = HandStatusSerializer(read_only=True, allow_null=True)
    payments = PaymentSerializer(many=True)
    arrangement = OverviewSerializer(read_only=True, allow_null=True)


class DebtView(ResourceView):
    queryset = Debt.objects.select_related("creditor")
    serializer_class = DebtSerializer
    input_serializer = DebtInputSerializer
    detail_serializer = DebtPageSerializer
    paged_actions = ("list", "payments", "ledger")
    filterset_class = DebtFilters

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        related = Debt.objects.select_related("creditor", "debtor", "segment", "hand_status_by")
        debt = get_object_or_404(related, pk=pk)
        payments = Payment.objects.filter(debt=debt)[:NEWEST]
        more: dict[str, Any] = {"payments": list(payments), "status_by_hand": debt if debt.hand_status else None}
        account = payoff_fields(accounts.payoff(debt, agency_today(now())))
        more["arrangement"] = overview.of_debts([debt.pk], day=agency_today(now())).get(debt.pk)
        return Response(write(DebtPageSerializer, Annotated(debt, **account, **more)))

    def perform_create(self, data: dict[str, Any]) -> Debt:
        data.pop("updated_at", None)
        return debts.place(**data, by=self.agent, today=agency_today(now()))

    def perform_update(self, instance: Debt, data: dict[str, Any]) -> None:
        debts.amend(
            instance, by=self.agent, today=agency_today(now()), if_unchanged_since=data.pop("updated_at", None), **data
        )

    def perform_destroy(self, instance: Debt) -> None:
        debts.delete(instance, by=self.agent, today=agency_today(now()))

    @extend_schema(operation_id="listDebtPayments", responses=PaymentSerializer(many=True))
    def payments(self, request: Request, pk: uuid.UUID) -> Response:
        debt = self.get_object(pk)
        return self.paged(Payment.objects.filter(debt=debt), PaymentSerializer, default_limit=100)

    @extend_schema(operation_id="listDebtLedger", responses=LedgerEntrySerializer(many=True))
    def ledger(self, request: Request, pk: uuid.UUID) -> Response:
        debt = self.get_object(pk)
        entries = LedgerEntry.objects.filter(debt=debt).select_related("by").order_by("posted_at", "id")
        return self.paged(entries, LedgerEntrySerializer)


class SegmentView(ResourceView):
    """Segments: groups of debts to which strategy rules refer."""

    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer
    detail_serializer = SegmentWithCountSerializer

    def get_queryset(self) -> QuerySet[Segment]:
        found = super().get_queryset()
        return found.annotate(debts_count=Count("debts")) if self.action == "retrieve" else found

    def perform_create(self, data: dict[str, Any]) -> Segment:
        return segments.create(**data)

    def perform_update(self, instance: Segment, data: dict[str, Any]) -> None:
        segments.amend(instance, **data)

    def perform_destroy(self, instance: Segment) -> None:
        segments.delete(instance)


class DeferralFilters(FilterSet):
    status = WordFilter(DeferralRequest.Status.values)
    debtorId = IdFilter(field_name="debtor_id")  # noqa: N815 - the contract's own spelling
    debtId = IdFilter(field_name="debt_id")  # noqa: N815


class DeferralRequestView(ResourceView):
    queryset = DeferralRequest.objects.select_related("debtor", "debt__creditor", "reviewer", "first_approver")
    serializer_class = ReviewedDeferralRequestSerializer
    filterset_class = DeferralFilters
    bodiless_actions = ("approve",)
    required_permissions = {
        "approve": "collections.review_deferralrequest",
        "reject": "collections.review_deferralrequest",
        "end": "collections.review_deferralrequest",
    }

    @extend_schema(
        operation_id="approveDeferralRequest", request=ApprovalSerializer, responses=ReviewedDeferralRequestSerializer
    )
    def approve(self, request: Request, pk: uuid.UUID) -> Response:
        deferral = self.get_object(pk)
        given = self.read(ApprovalSerializer, optional=True)
        notes, days = given.get("review_notes"), given.get("granted_days")
        deferrals.approve(deferral, by=self.agent, notes=notes, days=days, now=now())
        return self.answer(self.get_object(pk))

    @extend_schema(
        operation_id="rejectDeferralRequest", request=RejectionSerializer, responses=ReviewedDeferralRequestSerializer
    )
    def reject(self, request: Request, pk: uuid.UUID) -> Response:
        deferral = self.get_object(pk)
        notes = self.read(RejectionSerializer, optional=True)["review_notes"]
        deferrals.reject(deferral, by=self.agent, notes=notes, now=now())
        return self.answer(self.get_object(pk))

    @extend_schema(operation_id="endDeferral", request=EarlyEndSerializer, responses=ReviewedDeferralRequestSerializer)
    def end(self, request: Request, pk: uuid.UUID) -> Response:
        deferral = self.get_object(pk)
        deferrals.end(deferral, by=self.agent, why=self.read(EarlyEndSerializer)["why"], now=now())
        return self.answer(self.get_object(pk))


class RateFilters(FilterSet):
    series = CharFilter(lookup_expr="iexact")


class CodeFilters(FilterSet):
    code = CharFilter(lookup_expr="iexact")


class RateSeriesView(ResourceView):
    """Published rates of interest."""

    queryset = SeriesRate.objects.order_by("-created_at", "-id")
    serializer_class = SeriesRateSerializer
    filterset_class = RateFilters

    def perform_create(self, data: dict[str, Any]) -> SeriesRate:
        return rates.add(**data)


class InterestScheduleView(ResourceView):
    """Schedules by which debts bear interest. A code that exists already gets a new version."""

    queryset = InterestSchedule.objects.order_by("-created_at", "-id")
    serializer_class = InterestScheduleAnswerSerializer
    input_serializer = InterestScheduleSerializer
    filterset_class = CodeFilters

    def get_queryset(self) -> QuerySet[InterestSchedule]:
        return schedules.with_rates(super().get_queryset())

    def perform_create(self, data: dict[str, Any]) -> InterestSchedule:
        return schedules.add(**data, by=self.agent)


class CostRuleView(ResourceView):
    """Rules about the costs and fees that may be charged. A code that exists already gets a version from a day on."""

    queryset = CostRule.objects.order_by("-created_at", "-id")
    serializer_class = CostRuleSerializer
    filterset_class = CodeFilters

    def perform_create(self, data: dict[str, Any]) -> CostRule:
        return cost_rules.add(**data, by=self.agent)


class DebtInterestView(ResourceView):
    """The interest that a debt bears."""

    queryset = Debt.objects.select_related("interest_schedule")
    serializer_class = DebtInterestSerializer
    required_permissions = {"set": "collections.adjust_debt"}

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        return self._answer(self.get_object(pk))

    @extend_schema(
        operation_id="setDebtInterest", request=DebtInterestInputSerializer, responses={200: DebtInterestSerializer}
    )
    def set(self, request: Request, pk: uuid.UUID) -> Response:
        debt = self.get_object(pk)
        data = self.read(DebtInterestInputSerializer)
        interest.set_terms(debt, **data, by=self.agent, today=agency_today(now()))
        return self._answer(self.get_object(pk))

    def _answer(self, debt: Debt) -> Response:
        return Response(write(DebtInterestSerializer, interest.shown(debt)))


class DashboardView(View):
    queryset: QuerySet[Debt] = Debt.objects.none()

    @extend_schema(operation_id="getDashboardStats", responses=DashboardSerializer)
    def stats(self, request: Request) -> Response:
        return Response(write(DashboardSerializer, totals.dashboard(now=now())))
