"""The change log of personal data, the exports of lists, and the checks of the database."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ddc.common.models import UUIDv7, uuid7


class AuditEvent(models.Model):
    """One row that an INSERT, UPDATE or DELETE of a recorded table changed.

    Only the trigger function ``record_changes`` writes them, whatever program changed the row; nothing changes or deletes them.
    Person, actor and row are plain ids without constraints, so that the event outlives them.
    """

    class ActorKind(models.TextChoices):
        """The kind of the actor. ``database``: SQL without one, such as psql; the name is then the database's user."""

        AGENT = "agent"
        DEBTOR = "debtor"
        ANONYMOUS = "anonymous", "not signed in"
        SYSTEM = "system"
        DATABASE = "database", "database user"

    class Source(models.TextChoices):
        """The way in which the change arrived."""

        API = "api", "API"
        ADMIN = "admin", "back office"
        PORTAL = "portal"
        COMMAND = "command"
        TASK = "task"
        SQL = "sql", "SQL"

    class Operation(models.TextChoices):
        """The operation on the row."""

        INSERT = "insert", "added"
        UPDATE = "update", "changed"
        DELETE = "delete", "deleted"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    at = models.DateTimeField("time", db_default=Now())
    actor_kind = models.CharField("kind of actor", max_length=10, choices=ActorKind.choices)
    actor_id = models.UUIDField("actor", null=True, help_text="The id of the agent or debtor.")
    actor_name = models.CharField(
        max_length=200, null=True, help_text="The agent's user name, the command, the task, or the database's user."
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    request_id = models.CharField(
        max_length=64, null=True, help_text="The request that caused it, as the logs name it."
    )
    table_name = models.CharField("table", max_length=63)
    row_id = models.CharField("row", max_length=64)
    person_id = models.UUIDField("person", null=True, help_text="The id of the debtor with this data.")
    operation = models.CharField(max_length=6, choices=Operation.choices)
    before: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, help_text="The earlier values of the changed columns; of a deleted row, all."
    )
    after: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, help_text="The later values of the changed columns; of a new row, all."
    )

    class Meta:
        db_table = "audit_event"
        ordering = ["-id"]
        verbose_name = "change"
        indexes = [
            models.Index(fields=["person_id", "-id"], name="audit_event_person"),
            models.Index(fields=["actor_id", "-id"], name="audit_event_actor", condition=Q(actor_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.get_operation_display()}, {self.at:%Y-%m-%d %H:%M:%S}"


class ListExport(models.Model):
    """A list of the back office that an agent downloaded as a CSV file.

    The agent is a plain id, so that the export outlives the account. ``rows`` and ``finished_at`` are empty while the file is
    being read.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    at = models.DateTimeField("time", db_default=Now())
    agent_id = models.UUIDField("agent's id")
    agent_name = models.CharField("agent", max_length=200)
    list_name = models.CharField("list", max_length=100)
    filters = models.TextField("search, filters and order", blank=True, help_text="As in the address of the list.")
    reason = models.CharField(max_length=500, blank=True)
    rows = models.PositiveIntegerField(null=True, help_text="Those that were sent.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "list_export"
        ordering = ["-id"]
        verbose_name = "export"
        permissions = [("export_lists", "Can download lists as CSV files")]

    def __str__(self) -> str:
        return f"{self.list_name}, {self.at:%Y-%m-%d %H:%M:%S}"


class SystemCheck(models.Model):
    """A check of the whole database that an agent asked for, carried out by a worker, with its result.

    ``findings`` has the first of them, each as the row's id and the problem.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "waits for a worker"
        RUNNING = "running", "under way"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    kind = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLANNED)
    asked_at = models.DateTimeField(db_default=Now())
    agent_name = models.CharField("asked by", max_length=200)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    found = models.PositiveIntegerField("differences", null=True)
    findings = models.JSONField(default=list)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "system_check"
        ordering = ["-id"]
        verbose_name = "system check"
        permissions = [("run_systemcheck", "Can see the system's health and check the database")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(status__in=["planned", "running"]), name="one_system_check_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.asked_at:%Y-%m-%d %H:%M:%S}"
