"""Routes of debtors."""

from django.urls import path

from ddc.common.api.routes import resource
from debtors.api import DebtorView

urlpatterns = [
    *resource("debtors", DebtorView, name="debtor"),
    path("debtors/<id:pk>/debts", DebtorView.as_view({"get": "debts"}), name="debtor-debts"),
]
