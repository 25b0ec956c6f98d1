"""Payments over HTTP."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ddc.common.api.filters import FilterSet, IdFilter, WordFilter
from ddc.common.api.serializers import write
from ddc.common.api.views import ResourceView
from ddc.common.days import agency_today, begun
from payments import idempotency, posting, returns
from payments.models import Payment, PaymentStatus
from payments.receipts_serializers import RefundSerializer
from payments.serializers import (
    ChargebackSerializer,
    PaymentInputSerializer,
    PaymentRefundSerializer,
    PaymentSerializer,
    PaymentWithDebtSerializer,
)

_KEY = {"type": "string", "maxLength": idempotency.MAX_KEY_LENGTH}
IDEMPOTENCY_HEADER = OpenApiParameter("Idempotency-Key", _KEY, OpenApiParameter.HEADER)


def idempotent(request: Request, work: Callable[[], idempotency.Answer]) -> Response:
    """Answer a request by ``work``, which returns status and body; only once if it has an ``Idempotency-Key``.

    :raises DomainError: as ``idempotency.once`` and ``work`` do
    """
    key = request.headers.get("Idempotency-Key")
    if not key:
        status, answer = work()
        return Response(answer, status)
    body = json.dumps(request.data, sort_keys=True, default=str)
    status, answer = idempotency.once(caller=str(request.user.pk), key=key, body=body, now=now(), work=work)
    return Response(answer, status)


class PaymentFilters(FilterSet):
    debt_id = IdFilter()
    status = WordFilter(PaymentStatus.values)


class PaymentView(ResourceView):
    queryset = Payment.objects.all()
    serializer_class = PaymentSerializer
    detail_serializer = PaymentWithDebtSerializer
    input_serializer = PaymentInputSerializer
    filterset_class = PaymentFilters

    required_permissions = {
        "charge_back": "payments.reverse_payment",
        "refund": "payments.add_refund",
    }
    bodiless_actions = ("charge_back", "refund")

    def get_queryset(self) -> Any:
        return Payment.objects.select_related("debt__creditor") if self.action == "retrieve" else Payment.objects.all()

    @extend_schema(parameters=[IDEMPOTENCY_HEADER])
    def create(self, request: Request) -> Response:
        data = self.read(PaymentInputSerializer)
        return idempotent(request, lambda: self._record(data))

    def _record(self, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        data.pop("updated_at", None)
        payment = posting.record(**data, by=self.agent, today=agency_today(now()), begun=begun(now()))
        return 201, write(PaymentSerializer, payment)

    def perform_update(self, instance: Payment, data: dict[str, Any]) -> None:
        data.pop("overpayment", None)  # It is for new payments.
        posting.amend(
            instance,
            by=self.agent,
            today=agency_today(now()),
            begun=begun(now()),
            if_unchanged_since=data.pop("updated_at", None),
            **data,
        )

    def perform_destroy(self, instance: Payment) -> None:
        posting.void(instance, by=self.agent, today=agency_today(now()))

    @extend_schema(operation_id="chargeBackPayment", request=ChargebackSerializer, responses={201: PaymentSerializer})
    def charge_back(self, request: Request, pk: uuid.UUID) -> Response:
        data = self.read(ChargebackSerializer, optional=True)
        moment = now()
        payment = returns.charge_back(
            self.get_object(pk), **data, by=self.agent, now=moment, today=agency_today(moment)
        )
        return Response(write(PaymentSerializer, payment), 201)

    @extend_schema(operation_id="refundPayment", request=PaymentRefundSerializer, responses={201: RefundSerializer})
    def refund(self, request: Request, pk: uuid.UUID) -> Response:
        data = self.read(PaymentRefundSerializer, optional=True)
        refund = returns.propose_refund(self.get_object(pk), **data, by=self.agent, now=now())
        return Response(write(RefundSerializer, refund), 201)
