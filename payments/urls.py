"""Routes of payments."""

from ddc.common.api.routes import resource
from payments.api import PaymentView

urlpatterns = resource("payments", PaymentView, name="payment")
