"""Routes of debtors."""

from django.urls import path

from ddc.common.api.routes import resource
from ddc.fast.reads import answer_fast
from debtors import fast
from debtors.api import DebtorView

urlpatterns = answer_fast(
    [
        *resource("debtors", DebtorView, name="debtor"),
        path("debtors/<id:pk>/debts", DebtorView.as_view({"get": "debts"}), name="debtor-debts"),
    ],
    {"debtor-list": fast.debtors, "debtor-detail": fast.debtor},
)
