"""API endpoints for debtors; one debtor comes with its records from all apps."""

import uuid
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from collection.balances import totals
from collection.models import Debt
from collection.serializers import CurrencySumSerializer, DebtWithSegmentSerializer, TotalsSerializer
from communications.models import CommunicationLog
from communications.serializers import CommunicationLogSerializer
from ddc.common.api.fields import MoneyField
from ddc.common.api.filters import FilterSet
from ddc.common.api.pagination import page_of
from ddc.common.api.schema_fields import EMPTY
from ddc.common.api.serializers import write, write_all
from ddc.common.api.views import NEWEST, Annotated, ResourceView
from ddc.common.days import agency_today
from ddc.common.reference.countries import names as country_names
from debtors import debtors
from debtors.models import Debtor, DebtorQuerySet
from debtors.serializers import DebtorSerializer
from portal.models import DigitalActivity
from portal.serializers import DigitalActivitySerializer


class DebtorInListSerializer(DebtorSerializer):
    """A debtor with the open amounts."""

    total_outstanding_amount = MoneyField(currency="outstanding_currency", read_only=True, allow_null=True)
    outstanding_by_currency = CurrencySumSerializer(many=True, read_only=True)
    unconverted_currencies = serializers.ListField(child=serializers.CharField(), read_only=True)


class DebtorPageSerializer(DebtorSerializer):
    """A debtor with totals and the newest debts, messages and activities."""

    totals = TotalsSerializer()
    debts = DebtWithSegmentSerializer(many=True)
    debts_total = serializers.IntegerField()
    communication_logs = CommunicationLogSerializer(many=True)
    communication_logs_total = serializers.IntegerField()
    digital_activities = DigitalActivitySerializer(many=True)
    digital_activities_total = serializers.IntegerField()


class CountryFilter(django_filters.CharFilter):
    """Filter by country; the code may be in upper or lower case."""

    described: ClassVar = {"anyOf": [{"$ref": "#/components/schemas/CountryRequest"}, EMPTY]}


class DebtorFilters(FilterSet):
    country_code = CountryFilter(method="by_country")
    search = django_filters.CharFilter(method="by_words", strip=False)

    def by_country(self, queryset: DebtorQuerySet, name: str, value: str) -> DebtorQuerySet:
        if value.upper() not in country_names():
            raise serializers.ValidationError(
                {
                    "country_code": [
                        serializers.ErrorDetail("Unknown country code. Use an ISO 3166-1 code such as US.", "enum")
                    ]
                }
            )
        return queryset.filter(country_code=value.upper())

    def by_words(self, queryset: DebtorQuerySet, name: str, value: str) -> DebtorQuerySet:
        return queryset.matching(value)


class DebtorView(ResourceView):
    queryset = Debtor.objects.all()
    serializer_class = DebtorSerializer
    detail_serializer = DebtorPageSerializer
    paged_actions = ("list", "debts")
    filterset_class = DebtorFilters

    @extend_schema(responses=DebtorInListSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = page_of(self.filtered(self.get_queryset()), request)
        sums = totals.outstanding([debtor.pk for debtor in page.rows], today=agency_today(now()))
        rows = [
            Annotated(
                debtor,
                total_outstanding_amount=sums[debtor.pk].amount,
                outstanding_currency=sums[debtor.pk].currency_code,
                outstanding_by_currency=sums[debtor.pk].by_currency,
                unconverted_currencies=sums[debtor.pk].unconverted_currencies,
            )
            for debtor in page.rows
        ]
        return Response({"data": write_all(DebtorInListSerializer, rows), "meta": page.meta})

    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        debtor = self.get_object(pk)
        more: dict[str, Any] = {"totals": totals.of_debtor(debtor, today=agency_today(now()))}
        of_debtor: dict[str, QuerySet[Any]] = {
            "debts": Debt.objects.filter(debtor=debtor).select_related("creditor", "segment"),
            "communication_logs": CommunicationLog.objects.filter(debtor=debtor),
            "digital_activities": DigitalActivity.objects.filter(debtor=debtor),
        }
        for name, rows in of_debtor.items():
            more[name] = list(rows[:NEWEST])
            more[f"{name}_total"] = len(more[name]) if len(more[name]) < NEWEST else rows.count()
        return Response(write(DebtorPageSerializer, Annotated(debtor, **more)))

    @extend_schema(operation_id="listDebtorDebts", responses=DebtWithSegmentSerializer(many=True))
    def debts(self, request: Request, pk: uuid.UUID) -> Response:
        rows = Debt.objects.filter(debtor=self.get_object(pk)).select_related("creditor", "segment")
        return self.paged(rows, DebtWithSegmentSerializer, default_limit=100)

    def perform_create(self, data: dict[str, Any]) -> Debtor:
        return debtors.create(**data, today=agency_today(now()))

    def perform_update(self, instance: Debtor, data: dict[str, Any]) -> None:
        debtors.amend(instance, **data, today=agency_today(now()))

    def perform_destroy(self, instance: Debtor) -> None:
        debtors.delete(instance)
