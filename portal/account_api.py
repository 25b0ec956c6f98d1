"""The debtor's account over HTTP: payments, the amount that closes a debt, messages, and a budget."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from collection.accounts.serializers import PayoffSerializer, payoff_fields
from collection.balances import accounts
from communications.models import CommunicationLog
from ddc.common.api.fields import (
    ChoiceField,
    CurrencyField,
    DateField,
    DecimalField,
    MoneyField,
    ReferenceField,
    TextField,
    TimeField,
)
from ddc.common.api.serializers import CamelSerializer, write
from ddc.common.api.views import Annotated
from debtors import calendars
from debtors.channels import Channel
from payments.models import Payment, PaymentMethod, PaymentStatus
from portal import budgets, messages, theme
from portal.models import Budget
from portal.requests_api import AdviceSerializer, MyListView
from portal.serializers import OwnDebtField


class MyPaymentSerializer(CamelSerializer):
    """A payment as its debtor sees it."""

    id = serializers.UUIDField(read_only=True)
    debt_id = ReferenceField(source="debt", read_only=True)
    amount = MoneyField(read_only=True)
    currency_code = serializers.CharField(read_only=True)
    payment_method = ChoiceField(PaymentMethod.values, read_only=True)
    status = ChoiceField(PaymentStatus.values, read_only=True)
    payment_date = DateField(read_only=True)
    refunded_amount = MoneyField(read_only=True)
    created_at = TimeField(read_only=True)


class MyPaymentsView(MyListView):
    queryset = Payment.objects.all()
    serializer_class = MyPaymentSerializer

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(debt__debtor=self.debtor)

    @extend_schema(operation_id="myPayments", responses=MyPaymentSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)


class PayoffQuerySerializer(serializers.Serializer[Any]):
    """The query of the payoff. Its name is written as in other queries."""

    debt_id = OwnDebtField(source="debt")


class MyPayoffView(MyListView):
    """The amount that closes one of the debtor's debts today, by the debtor's calendar."""

    serializer_class = PayoffSerializer

    @extend_schema(
        operation_id="myPayoff",
        parameters=[OpenApiParameter("debt_id", {"type": "string", "format": "uuid"}, required=True)],
        responses=PayoffSerializer,
    )
    def retrieve(self, request: Request) -> Response:  # type: ignore[override]
        asked = PayoffQuerySerializer(
            data={"debt_id": request.query_params.get("debt_id")}, context={"debtor": self.debtor}
        )
        asked.is_valid(raise_exception=True)
        debt = asked.validated_data["debt"]
        today = calendars.today(self.debtor, at=timezone.now())
        return Response(PayoffSerializer(payoff_fields(accounts.payoff(debt, today))).data)


class MyMessageSerializer(CamelSerializer):
    """A message between the agency and the debtor, without its text."""

    id = serializers.UUIDField(read_only=True)
    debt_id = ReferenceField(source="debt", read_only=True, allow_null=True)
    communication_type = ChoiceField(Channel.values, read_only=True)
    direction = ChoiceField(CommunicationLog.Direction.values, read_only=True)
    subject = serializers.CharField(read_only=True, allow_null=True)
    sent_at = TimeField(source="made_at", read_only=True)


class MyWholeMessageSerializer(MyMessageSerializer):
    """A message with its text; a one-time code in it is masked."""

    body = serializers.CharField(read_only=True, allow_null=True)


class MyMessagesView(MyListView):
    serializer_class = MyMessageSerializer
    detail_serializer = MyWholeMessageSerializer

    def get_queryset(self) -> Any:
        return messages.of(self.debtor)

    @extend_schema(operation_id="myMessages", responses=MyMessageSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)

    @extend_schema(operation_id="myMessage", responses=MyWholeMessageSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        return super().retrieve(request, pk)


def _amounts(names: tuple[str, ...], name: str, doc: str) -> type[CamelSerializer]:
    fields = {each: MoneyField(required=False, allow_null=True) for each in names}
    return type(name, (CamelSerializer,), {"__doc__": doc, "decisive": names, **fields})


IncomeSerializer = _amounts(budgets.INCOME, "IncomeSerializer", "What comes in each month, by kind.")
EssentialsSerializer = _amounts(budgets.ESSENTIALS, "EssentialsSerializer", "What goes out each month, by kind.")


class BudgetRequestSerializer(CamelSerializer):
    """A debtor's budget of a month, in one currency."""

    decisive = ("essentials",)

    currency_code = CurrencyField()
    income = IncomeSerializer()
    essentials = EssentialsSerializer(required=False)


class BudgetSerializer(CamelSerializer):
    """The rest of a budget, the part of it that is offered, and free advice where nothing is left."""

    id = serializers.UUIDField(read_only=True)
    currency_code = TextField(read_only=True)
    total_income = MoneyField(read_only=True)
    total_essentials = MoneyField(read_only=True)
    left_over = MoneyField(read_only=True)
    percent = DecimalField(places=2, least=0, most=100, read_only=True)
    offered = MoneyField(read_only=True)
    advice = AdviceSerializer(many=True, read_only=True)
    created_at = TimeField(read_only=True)


class MyBudgetView(MyListView):
    queryset = Budget.objects.all()
    serializer_class = BudgetSerializer
    steps = {"create": "budget_sent"}
    refusals = {"create": (429,)}

    @extend_schema(operation_id="sendBudget", request=BudgetRequestSerializer, responses={201: BudgetSerializer})
    def create(self, request: Request) -> Response:
        given = self.read(BudgetRequestSerializer)
        income, essentials = (
            {name: amount for name, amount in given.get(part, {}).items() if amount is not None}
            for part in ("income", "essentials")
        )
        now = timezone.now()
        made = budgets.record(
            self.debtor, currency=given["currency_code"], income=income, essentials=essentials, now=now
        )
        services = theme.advices(self.debtor) if made.offered <= 0 else ()
        return Response(write(BudgetSerializer, Annotated(made, advice=services)), 201)
