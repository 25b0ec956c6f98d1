"""Segments over HTTP."""

from typing import Any

from django.db.models import Count, QuerySet
from rest_framework import serializers

from collection.models import Segment
from collection.segments import records
from collection.serializers import SegmentSerializer
from ddc.common.api.routes import resource
from ddc.common.api.views import ResourceView


class SegmentWithCountSerializer(SegmentSerializer):
    """A segment with how many debts are in it."""

    debts_count = serializers.IntegerField(read_only=True)


class SegmentView(ResourceView):
    """Segments: groups of debts that are treated alike."""

    queryset = Segment.objects.all()
    serializer_class = SegmentSerializer
    detail_serializer = SegmentWithCountSerializer

    def get_queryset(self) -> QuerySet[Segment]:
        found = super().get_queryset()
        return found.annotate(debts_count=Count("debts")) if self.action == "retrieve" else found

    def perform_create(self, data: dict[str, Any]) -> Segment:
        return records.create(**data)

    def perform_update(self, instance: Segment, data: dict[str, Any]) -> None:
        records.amend(instance, **data)

    def perform_destroy(self, instance: Segment) -> None:
        records.delete(instance)


urlpatterns = resource("segments", SegmentView, name="segment")
