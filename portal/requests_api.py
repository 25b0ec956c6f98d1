"""Documents, hardship and complaints of debtors over HTTP."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from casework import documents, support
from casework.models import Document, SupportRequest
from collection.models import Dispute
from ddc.common.api.fields import ChoiceField, DateField, IntegerField, ReferenceField, TextField, TimeField
from ddc.common.api.serializers import CamelSerializer, write
from ddc.common.api.views import ResourceView
from portal import theme
from portal.api import DebtorView


class MyListView(DebtorView, ResourceView):
    """The signed-in debtor's own rows, by pages."""


class OwnDisputeField(ReferenceField):
    """A dispute of the signed-in debtor. That of another debtor is refused as if it did not exist."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Dispute.objects.select_related("debt"), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        found: Any = super().to_internal_value(data)
        if found.debt.debtor_id != self.context["debtor"].pk:
            raise serializers.ValidationError("This resource does not exist.", "database.exists")
        return found


class DocumentUploadSerializer(CamelSerializer):
    """A picture (JPEG, PNG, WebP) or PDF of at most 10 MB, and the dispute for which it is evidence."""

    decisive = ("dispute_id",)

    file = serializers.FileField(allow_empty_file=True)
    dispute_id = OwnDisputeField(source="dispute", required=False, allow_null=True)


class DocumentSerializer(CamelSerializer):
    """A file that the debtor handed in."""

    id = serializers.UUIDField(read_only=True)
    dispute_id = ReferenceField(source="dispute", read_only=True, allow_null=True)
    name = serializers.CharField(read_only=True)
    content_type = serializers.CharField(read_only=True)
    size = IntegerField(read_only=True)
    created_at = TimeField(read_only=True)


class MyDocumentsView(MyListView):
    queryset = Document.objects.all()
    serializer_class = DocumentSerializer
    input_serializer = DocumentUploadSerializer
    parser_classes = (MultiPartParser,)
    steps = {"create": "document_handed_in"}
    refusals = {"create": (429,)}

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(debtor=self.debtor)

    @extend_schema(operation_id="myDocuments", responses=DocumentSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)

    @extend_schema(
        operation_id="handInDocument",
        request={"multipart/form-data": DocumentUploadSerializer},
        responses={201: DocumentSerializer},
    )
    def create(self, request: Request) -> Response:
        given = self.read(DocumentUploadSerializer, debtor=self.debtor)
        file, now = given["file"], timezone.now()
        content = file.read(documents.MAX_BYTES + 1)
        examined = documents.examine(file.name, content)
        made = documents.keep(self.debtor, examined, dispute=given.get("dispute"), now=now)
        return Response(write(DocumentSerializer, made), 201)

    @extend_schema(operation_id="myDocument", responses=DocumentSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        return super().retrieve(request, pk)

    @extend_schema(operation_id="myDocumentContent", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def content(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        return attachment(self.get_object(pk))


def attachment(document: Document) -> HttpResponse:
    """Return the file for download. A browser neither shows it nor guesses its type."""
    response = HttpResponse(documents.content_of(document), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(True, document.name) or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


class AdviceSerializer(CamelSerializer):
    """A service of free debt advice in the debtor's country."""

    name = serializers.CharField(read_only=True)
    url = serializers.CharField(read_only=True)


class SupportRequestSerializer(CamelSerializer):
    """A debtor's hardship or complaint, and the agency's answer."""

    id = serializers.UUIDField(read_only=True)
    text = TextField(min_length=10, max_length=2000)
    status = ChoiceField(SupportRequest.Status.values, read_only=True)
    answer = serializers.CharField(read_only=True, allow_null=True)
    answered_at = TimeField(read_only=True, allow_null=True)
    created_at = TimeField(read_only=True)


class HardshipSerializer(SupportRequestSerializer):
    """A debtor's word that they cannot pay, until when nobody asks for money, and who gives free advice."""

    held_until = DateField(source="hold.ends_on", read_only=True, allow_null=True)
    advice = serializers.SerializerMethodField()

    @extend_schema_field(AdviceSerializer(many=True))
    def get_advice(self, request: SupportRequest) -> Any:
        return [write(AdviceSerializer, one) for one in theme.advices(request.debtor)]


class _SupportView(MyListView):
    queryset = SupportRequest.objects.select_related("hold", "debtor")
    kind: SupportRequest.Kind
    refusals = {"create": (429,)}

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(debtor=self.debtor, kind=self.kind)


class MyHardshipView(_SupportView):
    serializer_class = HardshipSerializer
    kind = SupportRequest.Kind.HARDSHIP
    steps = {"create": "hardship_reported"}

    @extend_schema(operation_id="myHardship", responses=HardshipSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)

    @extend_schema(operation_id="reportHardship", request=HardshipSerializer, responses={201: HardshipSerializer})
    def create(self, request: Request) -> Response:
        return super().create(request)

    def perform_create(self, data: dict[str, Any]) -> SupportRequest:
        return support.report_hardship(self.debtor, text=data["text"], now=timezone.now())


class MyComplaintsView(_SupportView):
    serializer_class = SupportRequestSerializer
    kind = SupportRequest.Kind.COMPLAINT
    steps = {"create": "complaint_sent"}

    @extend_schema(operation_id="myComplaints", responses=SupportRequestSerializer(many=True))
    def list(self, request: Request) -> Response:
        return super().list(request)

    @extend_schema(operation_id="complain", request=SupportRequestSerializer, responses={201: SupportRequestSerializer})
    def create(self, request: Request) -> Response:
        return super().create(request)

    def perform_create(self, data: dict[str, Any]) -> SupportRequest:
        return support.complain(self.debtor, text=data["text"], now=timezone.now())
