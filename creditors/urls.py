"""Routes of creditors."""

from creditors.api import CreditorView
from ddc.common.api.routes import resource

urlpatterns = resource("creditors", CreditorView, name="creditor", only="list retrieve create update")
