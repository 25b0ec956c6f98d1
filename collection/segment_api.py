"""Segments over HTTP."""

from typing import Any

from django.db.models import Count, QuerySet
from rest_framework import serializers

from collection import segments
from collection.models import Segment
from collection.serializers import SegmentSerializer
from ddc.common.api.fields import BooleanField, IntegerField
from ddc.common.api.routes import resource
from ddc.common.api.views import ResourceView

_LARGEST_INTEGER = 2_147_483_647


class SegmentInputSerializer(SegmentSerializer):
    """A segment as it is sent: null brings a default back, and a far bound on days is as good as none."""

    priority = IntegerField(required=False, allow_null=True, min_value=1, max_value=_LARGEST_INTEGER)
    is_active = BooleanField(required=False, allow_null=True)
    min_days_since_placement = IntegerField(required=False, allow_null=True, min_value=0, max_value=_LARGEST_INTEGER)
    max_days_since_placement = IntegerField(required=False, allow_null=True, min_value=0, max_value=_LARGEST_INTEGER)


class SegmentWithCountSerializer(SegmentSerializer):
    """A segment with how many debts are in it."""

    debts_count = serializers.IntegerField(read_only=True)


class SegmentView(ResourceView):
    """Segments: groups of debts that are treated alike."""

    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer
    input_serializer = SegmentInputSerializer
    detail_serializer = SegmentWithCountSerializer

    def get_queryset(self) -> QuerySet[Segment]:
        found = super().get_queryset()
        return found.annotate(debts_count=Count("debts")) if self.action == "retrieve" else found

    def perform_create(self, data: dict[str, Any]) -> Segment:
        return segments.create(**data)

    def perform_update(self, instance: Segment, data: dict[str, Any]) -> None:
        segments.amend(instance, **data)

    def perform_destroy(self, instance: Segment) -> None:
        segments.delete(instance)


urlpatterns = resource("segments", SegmentView, name="segment")
