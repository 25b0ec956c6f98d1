"""Arrangements and their policies over HTTP."""

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from arrangements import changes, choices, computation, decisions, policies, proposals, serializers
from arrangements.models import Arrangement, ArrangementPolicy, Kind
from arrangements.serializers import (
    ApprovalOfArrangementSerializer,
    ArrangementPageSerializer,
    ArrangementSerializer,
    ChangedScheduleSerializer,
    ChangeSerializer,
    OptionsRequestSerializer,
    OptionsSerializer,
    PolicySerializer,
    ProposalSerializer,
    ReasonSerializer,
)
from collection.models import Debt
from ddc.common.api.filters import FilterSet, IdFilter, WordFilter
from ddc.common.api.serializers import write
from ddc.common.api.views import NEWEST, Annotated, ResourceView
from debtors import calendars
from debtors.models import Debtor
from payments.api import IDEMPOTENCY_HEADER, idempotent

_CHANGE, _APPROVE = "arrangements.change_arrangement", "arrangements.approve_arrangement"


class ArrangementFilters(FilterSet):
    status = WordFilter(Arrangement.Status.values)
    kind = WordFilter(Kind.values)
    debtor_id = IdFilter()
    creditor_id = IdFilter()
    debt_id = IdFilter(field_name="parts__debt")


def page(arrangement: Arrangement) -> Any:
    """Return an arrangement as its own page shows it, with its instalments as they stand on the debtor's day."""
    (shown,) = serializers.shown([arrangement], day=calendars.today(arrangement.debtor, at=now()))
    return Annotated(shown, events=arrangement.events.order_by("-at", "-id")[:NEWEST])


class ArrangementView(ResourceView):
    queryset = Arrangement.objects.select_related("debtor", "creditor")
    serializer_class = ArrangementSerializer
    detail_serializer = ArrangementPageSerializer
    input_serializer = ProposalSerializer
    filterset_class = ArrangementFilters
    bodiless_actions = ("approve",)
    required_permissions = {
        "accept": _CHANGE, "decline": _CHANGE, "cancel": _CHANGE, "change": _CHANGE, "approve": _APPROVE,
        "reject": _APPROVE, "reinstate": _APPROVE,
    }  # fmt: skip

    def answer(self, instance: Any, status: int = 200) -> Response:
        return super().answer(page(instance), status)

    @extend_schema(
        parameters=[IDEMPOTENCY_HEADER], request=ProposalSerializer, responses={201: ArrangementPageSerializer}
    )
    def create(self, request: Request) -> Response:
        data = self.read(ProposalSerializer)
        return idempotent(request, lambda: self._propose(data))

    def _propose(self, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        discount = data.pop("discount", None)
        if discount:
            data["percent" if discount["type"] == "percent" else "discount"] = discount["value"]
        kind, source = Kind(data.pop("kind")), Arrangement.Source.API
        arrangement = proposals.propose(kind, **data, by=self.agent, source=source, now=now())
        return 201, write(ArrangementPageSerializer, page(self.get_object(arrangement.pk)))

    @extend_schema(operation_id="acceptArrangement", request=None, responses=ArrangementPageSerializer)
    def accept(self, request: Request, pk: uuid.UUID) -> Response:
        return self._decide(pk, decisions.accept)

    @extend_schema(operation_id="approveArrangement", request=ApprovalOfArrangementSerializer,
                   responses=ArrangementPageSerializer)  # fmt: skip
    def approve(self, request: Request, pk: uuid.UUID) -> Response:
        return self._decide(pk, decisions.approve, **self.read(ApprovalOfArrangementSerializer, optional=True))

    @extend_schema(operation_id="rejectArrangement", request=ReasonSerializer, responses=ArrangementPageSerializer)
    def reject(self, request: Request, pk: uuid.UUID) -> Response:
        return self._decide(pk, decisions.reject, **self.read(ReasonSerializer))

    @extend_schema(operation_id="declineArrangement", request=ReasonSerializer, responses=ArrangementPageSerializer)
    def decline(self, request: Request, pk: uuid.UUID) -> Response:
        return self._decide(pk, decisions.decline, **self.read(ReasonSerializer))

    @extend_schema(operation_id="cancelArrangement", request=ReasonSerializer, responses=ArrangementPageSerializer)
    def cancel(self, request: Request, pk: uuid.UUID) -> Response:
        return self._decide(pk, decisions.cancel, **self.read(ReasonSerializer))

    @extend_schema(operation_id="reinstateArrangement", request=ReasonSerializer, responses=ArrangementPageSerializer)
    def reinstate(self, request: Request, pk: uuid.UUID) -> Response:
        return self._decide(pk, decisions.reinstate, **self.read(ReasonSerializer))

    @extend_schema(operation_id="changeArrangement", request=ChangeSerializer, responses=ChangedScheduleSerializer)
    def change(self, request: Request, pk: uuid.UUID) -> Response:
        arrangement, given = self.get_object(pk), self.read(ChangeSerializer)
        more = {
            "by": self.agent,
            "reason": given.get("reason", ""),
            "dry_run": given.get("dry_run", False),
            "now": now(),
        }
        if given["change"] == "delay":
            dues = changes.delay(arrangement, given["instalment_no"], to=given["due_on"], **more)
        else:
            dues = changes.change_amount(arrangement, given["instalment_no"], amount=given["amount"], **more)
        shown = [serializers.instalment(due, arrangement.currency_code) for due in dues]
        return Response(write(ChangedScheduleSerializer, {"instalments": shown}))

    def _decide(self, pk: uuid.UUID, decide: Callable[..., Arrangement], **given: Any) -> Response:
        decide(self.get_object(pk), by=self.agent, **given, now=now())
        return self.answer(self.get_object(pk))


class OptionsView(ResourceView):
    """The arrangements that a debtor can choose from."""

    queryset = Arrangement.objects.none()
    required_permissions = {"compute": "arrangements.add_arrangement"}

    @extend_schema(
        operation_id="computeArrangementOptions", request=OptionsRequestSerializer, responses=OptionsSerializer
    )
    def compute(self, request: Request, pk: uuid.UUID) -> Response:
        debtor = get_object_or_404(Debtor, pk=pk)
        given = self.read(OptionsRequestSerializer)
        debts = debts_of(debtor, given["debt_ids"])
        kinds = given.get("kinds") or Kind.values
        offers = choices.choices(debts, debtor=debtor, kinds=kinds, by=self.agent, now=now())
        return Response(write(OptionsSerializer, {"options": offers}))


class PolicyFilters(FilterSet):
    creditor_id = IdFilter()


class PolicyView(ResourceView):
    """The policies in force. A PUT publishes a new version under a new id."""

    queryset = ArrangementPolicy.objects.filter(replaced_at=None)
    serializer_class = PolicySerializer
    filterset_class = PolicyFilters

    def perform_create(self, data: dict[str, Any]) -> ArrangementPolicy:
        return policies.publish(ArrangementPolicy(**data), by=self.agent, now=now())

    def update(self, request: Request, pk: uuid.UUID) -> Response:
        before: Model = self.get_object(pk)
        values = {name: getattr(before, name) for name in serializers.POLICY_FIELDS}
        created = self.perform_create(values | self.read(PolicySerializer, partial=True))
        return self.answer(created)


def debts_of(debtor: Debtor, debt_ids: list[uuid.UUID]) -> list[Debt]:
    """Return debts of a debtor by their ids.

    :raises DebtOfAnotherDebtor: if one is not theirs
    """
    found = list(Debt.objects.filter(debtor=debtor, pk__in=debt_ids).select_related("creditor"))
    if len(found) < len(set(debt_ids)):
        raise computation.DebtOfAnotherDebtor
    return found
