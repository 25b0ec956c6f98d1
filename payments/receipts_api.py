"""Receipts, credits and refunds over HTTP."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from creditors import creditors
from ddc.common.api.filters import FilterSet, IdFilter, WordFilter
from ddc.common.api.serializers import reader, write
from ddc.common.api.views import NEWEST, Annotated, ResourceView
from ddc.common.days import agency_today
from ddc.common.errors import Invalid
from payments import credits, funding, receipts, receipts_matching
from payments.models import Credit, CreditEntry, Payment, Receipt, ReceiptAllocation, Refund
from payments.receipts import Line
from payments.receipts_serializers import (
    ApplicationSerializer,
    CreditRefundInputSerializer,
    CreditSerializer,
    CreditWithEntriesSerializer,
    LineSerializer,
    ProposalsSerializer,
    ReceiptInputSerializer,
    ReceiptSerializer,
    ReceiptWithAllocationsSerializer,
    RefundInputSerializer,
    RefundNoteSerializer,
    RefundSerializer,
)
from payments.serializers import PaymentSerializer

MOST_LINES = 100


class NoSuchCreditor(Invalid):
    code = "database.exists"
    field = "original_creditor"
    message = "There is no creditor with this name."


class ReceiptFilters(FilterSet):
    status = WordFilter(Receipt.STATUSES, method="of_status")

    def of_status(self, rows: QuerySet[Receipt], name: str, value: str) -> QuerySet[Receipt]:
        return rows.filter(suspense__isnull=value != "suspense")


class ReceiptView(ResourceView):
    """Money that came in."""

    queryset = Receipt.objects.all()
    serializer_class = ReceiptSerializer
    detail_serializer = ReceiptWithAllocationsSerializer
    input_serializer = ReceiptInputSerializer
    filterset_class = ReceiptFilters
    required_permissions = {
        "allocate": "payments.add_receiptallocation",
        "reverse": "payments.reverse_payment",
        "refund": "payments.add_refund",
    }

    def get_queryset(self) -> QuerySet[Receipt]:
        return funding.with_rest(Receipt.objects.select_related("suspense", "creditor"))

    def answer(self, instance: Receipt, status: int = 200) -> Response:
        receipt = self.get_object(instance.pk)
        allocations = list(receipt.allocations.select_related("by").order_by("created_at", "id")[:NEWEST])
        paid = Payment.objects.in_bulk([one.payment_id for one in allocations if one.payment_id])
        for one in allocations:
            found = paid.get(one.payment_id) if one.payment_id else None
            one.currency_code, one.payment, one.debt_id = receipt.currency_code, found, found and found.debt_id
        return Response(write(ReceiptWithAllocationsSerializer, Annotated(receipt, allocations=allocations)), status)

    @extend_schema(
        request=ReceiptInputSerializer,
        responses={201: ReceiptWithAllocationsSerializer, 200: ReceiptWithAllocationsSerializer},
    )
    def create(self, request: Request) -> Response:
        data = self.read(ReceiptInputSerializer)
        name = data.pop("original_creditor", None)
        data["creditor"] = creditors.find(name) if name else None
        if name and data["creditor"] is None:
            raise NoSuchCreditor
        try:
            made = receipts.record(**data, by=self.agent, today=agency_today(now()), now=now())
        except receipts.AlreadyRecorded:
            same = {name: data[name] for name in ("provider_id", "amount", "currency_code")}
            found = Receipt.objects.filter(provider=data.get("provider", ""), **same).first()
            if found is None:
                raise
            return self.answer(found)
        return self.answer(made, 201)

    @extend_schema(operation_id="listReceiptProposals", responses=ProposalsSerializer)
    def proposals(self, request: Request, pk: uuid.UUID) -> Response:
        found = receipts_matching.proposals(self.get_object(pk))
        return Response(write(ProposalsSerializer, {"data": found}))

    @extend_schema(
        operation_id="allocateReceipt",
        request=LineSerializer(many=True),
        responses={201: ReceiptWithAllocationsSerializer},
    )
    def allocate(self, request: Request, pk: uuid.UUID) -> Response:
        receipt = self.get_object(pk)
        lines = [
            Line(one["debt"], one["amount"], one.get("kind") == "credit", one.get("allocation", ()))
            for one in self._lines()
        ]
        receipts.book(receipt, lines, by=self.agent, today=agency_today(now()), now=now())
        return self.answer(receipt, 201)

    @extend_schema(operation_id="reverseReceiptAllocation", request=None, responses=ReceiptWithAllocationsSerializer)
    def reverse(self, request: Request, pk: uuid.UUID, allocation: uuid.UUID) -> Response:
        receipt = self.get_object(pk)
        found = ReceiptAllocation.objects.filter(receipt=receipt, pk=allocation).first()
        if found is None:
            raise Http404
        receipts.undo(found, by=self.agent, today=agency_today(now()), now=now())
        return self.answer(receipt)

    @extend_schema(operation_id="refundReceipt", request=RefundInputSerializer, responses={201: RefundSerializer})
    def refund(self, request: Request, pk: uuid.UUID) -> Response:
        receipt = self.get_object(pk)
        refund = credits.propose_refund_of_receipt(
            receipt, **self.read(RefundInputSerializer), by=self.agent, now=now()
        )
        return Response(write(RefundSerializer, refund), 201)

    def _lines(self) -> list[dict[str, Any]]:
        """Read the body, a list of parts.

        :raises ValidationError: if it is no such list
        """
        body = self.request.data
        if not isinstance(body, list) or not 0 < len(body) <= MOST_LINES:
            words = f"This must be a list of 1 to {MOST_LINES} parts, each with debtId and amount."
            raise exceptions.ValidationError([exceptions.ErrorDetail(words, "array")])
        reads, lines = reader(LineSerializer, False), []
        for number, one in enumerate(body):
            try:
                lines.append(reads.run_validation(one))
            except exceptions.ValidationError as error:
                raise exceptions.ValidationError({str(number): error.detail}) from error
        return lines


class CreditFilters(FilterSet):
    debtor_id = IdFilter()


class CreditView(ResourceView):
    """Money of a person that no debt has taken yet."""

    queryset = Credit.objects.all()
    serializer_class = CreditSerializer
    filterset_class = CreditFilters
    required_permissions = {"apply": "payments.apply_credit", "refund": "payments.add_refund"}

    def get_queryset(self) -> QuerySet[Credit]:
        return funding.with_balance(Credit.objects.select_related("creditor"))

    @extend_schema(responses=CreditWithEntriesSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        credit = self.get_object(pk)
        entries = list(CreditEntry.objects.filter(credit=credit).select_related("by", "allocation")[:NEWEST])
        for one in entries:
            one.currency_code = credit.currency_code  # type: ignore[attr-defined]
        return Response(write(CreditWithEntriesSerializer, Annotated(credit, entries=entries)))

    @extend_schema(operation_id="applyCredit", request=ApplicationSerializer, responses={201: PaymentSerializer})
    def apply(self, request: Request, pk: uuid.UUID) -> Response:
        credit = self.get_object(pk)
        data = self.read(ApplicationSerializer)
        payment = credits.apply(credit, **data, by=self.agent, today=agency_today(now()), now=now())
        return Response(write(PaymentSerializer, payment), 201)

    @extend_schema(operation_id="refundCredit", request=CreditRefundInputSerializer, responses={201: RefundSerializer})
    def refund(self, request: Request, pk: uuid.UUID) -> Response:
        credit = self.get_object(pk)
        refund = credits.propose_refund(credit, **self.read(CreditRefundInputSerializer), by=self.agent, now=now())
        return Response(write(RefundSerializer, refund), 201)


class RefundFilters(FilterSet):
    status = WordFilter(["proposed", *Refund.Decision.values], method="of_status")

    def of_status(self, rows: QuerySet[Refund], name: str, value: str) -> QuerySet[Refund]:
        return rows.filter(decision=None if value == "proposed" else value)


class RefundView(ResourceView):
    """Refunds: proposed by one person, approved by another."""

    queryset = Refund.objects.select_related("receipt", "proposed_by", "decided_by")
    serializer_class = RefundSerializer
    filterset_class = RefundFilters
    bodiless_actions = ("approve",)
    required_permissions = {"approve": "payments.decide_refund", "reject": "payments.add_refund"}

    @extend_schema(operation_id="approveRefund", request=RefundNoteSerializer, responses=RefundSerializer)
    def approve(self, request: Request, pk: uuid.UUID) -> Response:
        refund = self.get_object(pk)
        note = self.read(RefundNoteSerializer, optional=True).get("note")
        credits.approve(refund, by=self.agent, now=now(), note=note or "")
        return self.answer(self.get_object(pk))

    @extend_schema(operation_id="rejectRefund", request=RefundNoteSerializer, responses=RefundSerializer)
    def reject(self, request: Request, pk: uuid.UUID) -> Response:
        refund = self.get_object(pk)
        note = self.read(RefundNoteSerializer, optional=True).get("note")
        credits.reject(refund, by=self.agent, now=now(), note=note or "")
        return self.answer(self.get_object(pk))
