"""Views of a debt's account: the amount that closes it, charges, waivers and write-offs."""

import uuid
from typing import Any

from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from collection import charges
from collection.accounts.serializers import (
    ChargeSerializer,
    DebtAccountSerializer,
    PayoffSerializer,
    WaiverSerializer,
    WriteOffSerializer,
    payoff_fields,
)
from collection.balances import accounts
from collection.models import Debt
from collection.serializers import DebtSerializer
from ddc.common import days
from ddc.common.api.fields import DateField
from ddc.common.api.serializers import CamelSerializer
from ddc.common.api.views import Annotated, ResourceView
from ddc.common.days import agency_today


class ChargedDebtSerializer(DebtSerializer, DebtAccountSerializer):
    """A debt with its account."""


class AccountView(ResourceView):
    """The account of a debt."""

    queryset = Debt.objects.select_related("creditor", "debtor")
    serializer_class = ChargedDebtSerializer
    required_permissions = {
        "charge": charges.CHARGE,
        "waive": charges.WAIVE,
        "write_off": charges.WRITE_OFF,
        "undo": "collections.adjust_debt",
    }

    @extend_schema(
        operation_id="getDebtPayoff",
        parameters=[OpenApiParameter("on", {"type": "string", "format": "date"}, description="Today if left out.")],
        responses=PayoffSerializer,
    )
    def payoff(self, request: Request, pk: uuid.UUID) -> Response:
        today = agency_today(now())
        day = today
        if text := request.GET.get("on"):
            try:
                day = DateField().run_validation(text)
            except serializers.ValidationError as fault:
                raise exceptions.ValidationError({"on": fault.detail}) from fault
        days.plausible("due_date", today=today).check(day, field="on")
        return Response(PayoffSerializer(payoff_fields(accounts.payoff(self.get_object(pk), day))).data)

    @extend_schema(operation_id="chargeDebt", request=ChargeSerializer, responses={201: ChargedDebtSerializer})
    def charge(self, request: Request, pk: uuid.UUID) -> Response:
        data = self.read(ChargeSerializer)
        component = {"cost": "costs", "fee": "fees"}[data.pop("kind", "cost")]
        return self._done(charges.charge(self.get_object(pk), component=component, **data, **self._who()))

    @extend_schema(operation_id="waiveDebt", request=WaiverSerializer, responses={201: ChargedDebtSerializer})
    def waive(self, request: Request, pk: uuid.UUID) -> Response:
        data = self.read(WaiverSerializer)
        reason = data.pop("reason")
        parts = {name: part for name, part in data.items() if part}
        return self._done(charges.waive(self.get_object(pk), parts, reason=reason, **self._who()))

    @extend_schema(operation_id="writeOffDebt", request=WriteOffSerializer, responses={201: ChargedDebtSerializer})
    def write_off(self, request: Request, pk: uuid.UUID) -> Response:
        data = self.read(WriteOffSerializer)
        reason = charges.Reason(data.pop("reason"))
        return self._done(charges.write_off(self.get_object(pk), reason=reason, **data, **self._who()))

    @extend_schema(operation_id="reverseDebtEntry", request=CamelSerializer, responses={201: ChargedDebtSerializer})
    def undo(self, request: Request, pk: uuid.UUID, entry: uuid.UUID) -> Response:
        return self._done(charges.undo(self.get_object(pk), entry, **self._who()))

    def _who(self) -> dict[str, Any]:
        return {"by": self.agent, "today": agency_today(now())}

    def _done(self, debt: Debt) -> Response:
        found = self.get_object(debt.pk)
        fields = payoff_fields(accounts.payoff(found, agency_today(now())))
        return self.answer(Annotated(found, **fields), 201)
