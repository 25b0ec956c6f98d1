"""Routes of payments."""

from ddc.common.api.routes import resource
from ddc.fast.reads import answer_fast
from payments import fast
from payments.api import PaymentView

urlpatterns = answer_fast(resource("payments", PaymentView, name="payment"), {"payment-list": fast.payments})
