"""Templates and messages over HTTP."""

import uuid
from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from communications.filters import LogFilters, TemplateFilters
from communications.models import CommunicationLog, CommunicationTemplate
from communications.notices import by_hand
from communications.outbox import may_go
from communications.serializers import (
    CommunicationLogDetailSerializer,
    CommunicationLogSerializer,
    CommunicationTemplateSerializer,
    ContactPreviewSerializer,
    PlaceholdersSerializer,
    ProcessAnswerSerializer,
    ProcessSerializer,
)
from communications.texts import placeholders, templates
from contact import explain, facts, preview
from contact.engine.decision import Reason
from contact.limitation import Limitation
from contact.models import ContactDecision
from ddc.common import dataclass_json
from ddc.common.api.rendering import camel
from ddc.common.api.serializers import write
from ddc.common.api.views import Annotated, ResourceView, View
from ddc.common.days import begun
from debtors.models import Debtor

#: The largest number of contact decisions in the answer about a message.
DECISIONS = 20


class CommunicationTemplateView(ResourceView):
    queryset = CommunicationTemplate.objects.all()
    serializer_class = CommunicationTemplateSerializer
    filterset_class = TemplateFilters
    bodiless_actions = ("process",)
    required_permissions = {"process": "communications.view_communicationtemplate"}

    def perform_create(self, data: dict[str, Any]) -> CommunicationTemplate:
        return templates.create(**data)

    def perform_update(self, instance: CommunicationTemplate, data: dict[str, Any]) -> None:
        templates.amend(instance, **data)

    def perform_destroy(self, instance: CommunicationTemplate) -> None:
        templates.delete(instance)

    @extend_schema(operation_id="listPlaceholders", responses=PlaceholdersSerializer)
    def placeholders(self, request: Request) -> Response:
        return Response(write(PlaceholdersSerializer, {"data": placeholders.CATALOGUE}))

    @extend_schema(
        operation_id="processCommunicationTemplates",
        request=ProcessSerializer,
        responses={200: ProcessAnswerSerializer},
    )
    def process(self, request: Request) -> Response:
        """Render the matching active templates, and send them if asked to."""
        given = self.read(ProcessSerializer, optional=True)
        send = bool(given.get("send"))
        if send and not request.user.has_perm("communications.send_communicationtemplate"):
            raise exceptions.PermissionDenied
        results = by_hand.process(
            name=given.get("template_name"),
            channel=given.get("communication_type"),
            debtor=given.get("debtor"),
            debt=given.get("debt"),
            send=send,
            now=timezone.now(),
        )
        return Response(write(ProcessAnswerSerializer, {"processed": len(results), "results": results}))

    def known_names(self) -> set[str]:
        names = super().known_names()
        return names | {camel(name) for name in ProcessSerializer().fields} if self.action == "process" else names


class CommunicationLogView(ResourceView):
    queryset = CommunicationLog.objects.defer("body", "html")
    serializer_class = CommunicationLogSerializer
    filterset_class = LogFilters

    @extend_schema(responses=CommunicationLogDetailSerializer)
    def retrieve(self, request: Request, pk: Any) -> Response:
        message = self.get_object(pk)
        return Response(
            write(CommunicationLogDetailSerializer, Annotated(message, contact_decisions=_decisions_on(message)))
        )


def _decisions_on(message: CommunicationLog) -> list[Annotated]:
    rows = ContactDecision.objects.filter(message_id=message.pk).order_by("-at", "-id")[:DECISIONS]
    return [Annotated(row, reasons=[dataclass_json.read(Reason, reason) for reason in row.reasons]) for row in rows]


def _limitation(known: Limitation | None, now: datetime) -> dict[str, Any]:
    return {
        "limitation_ends_on": known.last_day if known else None,
        "is_time_barred": known is not None and known.is_over(begun(now)),
        "limitation_section": known.period.section if known else "",
    }


class ContactPreviewView(View):
    """The contact gate's answers now."""

    required_permissions = {"retrieve": "debtors.view_debtor"}

    @extend_schema(operation_id="previewContact", responses=ContactPreviewSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Return for each channel whether the debtor may be contacted now, the reasons against it, and the next allowed time."""
        debtor, now = get_object_or_404(Debtor, pk=pk), timezone.now()
        debts = preview.open_debts(debtor)
        previews = may_go.previews(debtor, debts=(None, *debts), now=now)
        by_debt = {debt: [preview for preview in previews if preview.debt == debt] for debt in (None, *debts)}
        limitations = facts.limitations(debts, now=now)
        answer = {
            "debtor_id": debtor.pk,
            "at": now,
            "time_zones": sorted(previews[0].facts.zones),
            "assumptions": explain.assumptions(previews[0].facts),
            "rules": {rule.versioned_name: rule for preview in previews for rule in preview.policies}.values(),
            "channels": by_debt[None],
            "debts": [
                {"debt_id": debt.pk, "channels": by_debt[debt], **_limitation(limitations.get(debt.pk), now)}
                for debt in debts
            ],
        }
        return Response(write(ContactPreviewSerializer, answer))
