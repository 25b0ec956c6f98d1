"""Placement files that were uploaded in the back office."""

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from ddc.common.models import UUIDModel, newest_first


class PlacementImport(UUIDModel):
    """An uploaded placement file: checked by a dry run, and loaded once a person has confirmed it.

    ``file`` is kept until the file is loaded or discarded. ``report`` has the numbers of ``loading.Report`` and its parked rows,
    ``refusals`` the line, column and reason of each refused row.
    """

    class Status(models.TextChoices):
        CHECKING = "checking", "being checked"
        CHECKED = "checked", "waits for confirmation"
        LOADING = "loading", "being loaded"
        LOADED = "loaded"
        DISCARDED = "discarded"
        FAILED = "failed"

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CHECKING)
    file_name = models.CharField(max_length=200)
    file = models.BinaryField(null=True)
    size = models.PositiveIntegerField(help_text="In bytes.")
    creditor = models.CharField(max_length=255, blank=True, help_text="The creditor of rows that name none.")
    encoding = models.CharField(max_length=20, blank=True)
    uploaded_by = agent_field()
    confirmed_by = agent_field()
    started_at = models.DateTimeField(null=True, help_text="When a worker began the present step.")
    finished_at = models.DateTimeField(null=True)
    report = models.JSONField(null=True)
    refusals = models.JSONField(default=list)
    error = models.CharField(max_length=1000, blank=True)

    class Meta:
        db_table = "placement_import"
        verbose_name = "import"
        ordering = newest_first()
        permissions = [("import_placements", "Can import placement files")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="placement_import_newest"),
            models.Index(
                fields=["created_at"], name="placement_import_open", condition=Q(status__in=("checking", "loading"))
            ),
        ]

    def __str__(self) -> str:
        return self.file_name
