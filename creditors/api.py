"""Creditors over HTTP."""

from typing import Any

from creditors import creditors
from creditors.models import Creditor
from creditors.serializers import CreditorSerializer
from ddc.common.api.views import ResourceView


class CreditorView(ResourceView):
    """Creditors, with the kind of their debts and the allocation that was agreed."""

    queryset = Creditor.objects.all()
    serializer_class = CreditorSerializer

    def perform_create(self, data: dict[str, Any]) -> Creditor:
        return creditors.create(**data)

    def perform_update(self, instance: Creditor, data: dict[str, Any]) -> None:
        creditors.amend(instance, **data)
