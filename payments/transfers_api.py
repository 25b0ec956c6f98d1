"""How to transfer what is open on a debt, over HTTP: for letters, and for other programs."""

import uuid

from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from collection.models import Debt
from ddc.common.api.fields import MoneyField
from ddc.common.api.serializers import CamelSerializer, write
from ddc.common.api.views import View
from payments import payable, transfers


class PaymentReferenceSerializer(CamelSerializer):
    """The transfer of a debt's payoff: account, reference, and the text of the QR code, null outside the euro."""

    reference = serializers.CharField()
    name = serializers.CharField(source="account.holder")
    iban = serializers.CharField(source="account.iban")
    bic = serializers.CharField(source="account.bic", allow_blank=True)
    amount = MoneyField(currency="currency", read_only=True)
    currency_code = serializers.CharField(source="currency")
    epc_qr = serializers.CharField(source="payload_or_none", allow_null=True)


class PaymentReferenceView(View):
    required_permissions = {"retrieve": "payments.view_bankaccount"}
    refusals = {"retrieve": (409, 422)}

    @extend_schema(operation_id="getPaymentReference", responses=PaymentReferenceSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Answer how to transfer what is open on a debt; 409 if nothing is, or if there is no bank account in its currency."""
        debt = get_object_or_404(Debt.objects.select_related("debtor"), pk=pk)
        found = payable.chosen(debt.debtor, [debt.pk], now=now())
        (transfer,) = transfers.of(found, payable.most(found)) or (None,)
        if transfer is None:
            raise transfers.NoAccount
        return Response(write(PaymentReferenceSerializer, transfer))
