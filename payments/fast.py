"""Fast reads of payments."""

from ddc.fast.lists import FastList, Filter, one_of, parse_uuid
from payments.models import PaymentStatus
from payments.serializers import PaymentSerializer

payments = FastList(
    permission="payments.view_payment",
    table="payment",
    serializer=PaymentSerializer,
    filters={
        "debt_id": Filter("payment.debt_id = %(debt_id)s", parse_uuid),
        "status": Filter("payment.status = %(status)s", one_of(PaymentStatus.values)),
    },
    computed={"allocation": "payment.allocation"},
)
