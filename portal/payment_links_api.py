"""Payment links over HTTP, for staff."""

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arrangements.models import Arrangement
from collection.models import Debt
from ddc.common.api.fields import MoneyField, ReferenceField, TimeField
from ddc.common.api.serializers import CamelSerializer, write
from ddc.common.api.views import View
from debtors.models import Debtor
from portal import payment_links

#: So many debts a link may name.
_MOST_DEBTS = 50


class PaymentLinkInputSerializer(CamelSerializer):
    """The demand of a link: debts of one currency (all by default), a sum (the debtor's choice), until when."""

    decisive = ("debt_ids", "amount", "expires_at", "arrangement_id")

    debtor_id = ReferenceField(Debtor.objects.all(), source="debtor")
    debt_ids = serializers.ListField(
        child=serializers.UUIDField(), source="debts", required=False, allow_null=True, max_length=_MOST_DEBTS
    )
    amount = MoneyField(positive=True, required=False, allow_null=True)
    expires_at = TimeField(required=False, allow_null=True)
    arrangement_id = ReferenceField(Arrangement.objects.all(), source="arrangement", required=False, allow_null=True)


class PaymentLinkSerializer(CamelSerializer):
    """The address to send to the debtor. It shows nothing personal before the second question."""

    url = serializers.URLField()
    expires_at = TimeField()
    amount = MoneyField(allow_null=True, read_only=True)
    currency_code = serializers.CharField()


class PaymentLinkView(View):
    required_permissions = {"create": "payments.add_payment"}

    @extend_schema(
        operation_id="createPaymentLink", request=PaymentLinkInputSerializer, responses={201: PaymentLinkSerializer}
    )
    def create(self, request: Request) -> Response:
        """Create a link that leads one debtor to one payment."""
        asked = self.read(PaymentLinkInputSerializer)
        debts = [Debt(pk=pk) for pk in asked.pop("debts", None) or ()]
        link = payment_links.create(asked.pop("debtor"), debts=debts, **asked, by=self.agent, now=now())
        return Response(write(PaymentLinkSerializer, link), 201)
