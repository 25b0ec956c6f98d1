"""What is read of payments all day long, in one statement each."""

from ddc.common.api.quick import Condition, QuickList, one_of, uuid_of
from payments.models import PaymentStatus
from payments.serializers import PaymentSerializer

payments = QuickList(
    permission="payments.view_payment",
    table="payment",
    serializer=PaymentSerializer,
    conditions={
        "debt_id": Condition("payment.debt_id = %(debt_id)s", uuid_of),
        "status": Condition("payment.status = %(status)s", one_of(PaymentStatus.values)),
    },
)
