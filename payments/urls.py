"""Routes of payments, receipts, credits and refunds, and of payment providers."""

from django.urls import path

from ddc.common.api.routes import resource
from ddc.fast.reads import answer_fast
from payments import fast, views
from payments.api import PaymentView
from payments.receipts_api import CreditView, ReceiptView, RefundView
from payments.transfers_api import PaymentReferenceView

_patterns = [
    *resource("payments", PaymentView, name="payment"),
    *resource("receipts", ReceiptView, name="receipt", only="list create retrieve"),
    path("receipts/<id:pk>/proposals", ReceiptView.as_view({"get": "proposals"})),
    path("receipts/<id:pk>/allocations", ReceiptView.as_view({"post": "allocate"})),
    path("receipts/<id:pk>/allocations/<id:allocation>/reverse", ReceiptView.as_view({"post": "reverse"})),
    path("receipts/<id:pk>/refund", ReceiptView.as_view({"post": "refund"})),
    *resource("credits", CreditView, name="credit", only="list retrieve"),
    path("credits/<id:pk>/apply", CreditView.as_view({"post": "apply"})),
    path("credits/<id:pk>/refund", CreditView.as_view({"post": "refund"})),
    *resource("refunds", RefundView, name="refund", only="list retrieve"),
    path("refunds/<id:pk>/approve", RefundView.as_view({"put": "approve"})),
    path("refunds/<id:pk>/reject", RefundView.as_view({"put": "reject"})),
    path("payments/<id:pk>/chargeback", PaymentView.as_view({"post": "charge_back"}), name="payment-chargeback"),
    path("payments/<id:pk>/refund", PaymentView.as_view({"post": "refund"}), name="payment-refund"),
    path(
        "debts/<id:pk>/payment-reference",
        PaymentReferenceView.as_view({"get": "retrieve"}),
        name="debt-payment-reference",
    ),
    path("providers/<str:provider>/events", views.ProviderEventView.as_view(), name="provider-events"),
    path("demo/payments/<uuid:intent_id>", views.demo_page, name="demo-payment"),
]

urlpatterns = answer_fast(_patterns, {"payment-list": fast.payments})
