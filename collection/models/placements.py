"""Rows of placement files that wait for a person to decide who owes the debt."""

from typing import Any

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from collection.models.debts import Debt
from ddc.common.models import UUIDModel, newest_first
from debtors.models import Debtor


class ParkedPlacement(UUIDModel):
    """A row with a known debtor's address, but with another name or date of birth.

    ``row`` is the whole row by the API's names of its columns, and ``digest`` its hash. Of equal rows without a reference, which
    are debts of their own, ``occurrence`` counts the first as 1. ``name_form`` and ``dob`` are the person's in the row: once they
    were decided to be the known debtor, later rows with both are placed without being parked.
    """

    class Decision(models.TextChoices):
        SAME = "same", "same person"
        ANOTHER = "another", "another person"

    class Outcome(models.TextChoices):
        """The import of the row after the decision."""

        ACCEPTED = "accepted"
        KNOWN = "known", "already there"
        REFUSED = "refused"

    debtor = models.ForeignKey(
        Debtor, verbose_name="known debtor", on_delete=models.PROTECT, related_name="parked_placements", db_index=False
    )
    row = models.JSONField()
    line = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    occurrence = models.PositiveIntegerField(default=1)
    name_form = models.CharField(max_length=500)
    dob = models.DateField(null=True, blank=True)
    placed_on = models.DateField("imported on", help_text="The placement date of a row that names none.")
    decision = models.CharField(max_length=10, choices=Decision.choices, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = agent_field()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, null=True, blank=True)
    reason = models.TextField(null=True, blank=True, help_text="Why the row was refused after the decision.")
    debt = models.ForeignKey(
        Debt, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="The debt that was placed."
    )

    class Meta:
        db_table = "parked_placement"
        verbose_name = "parked placement row"
        ordering = newest_first()
        permissions = [("decide_parkedplacement", "Can decide parked placement rows")]
        constraints = [
            models.UniqueConstraint(
                fields=["digest", "occurrence"],
                condition=Q(decision__isnull=True),
                name="parked_placement_waits_once",
            ),
            models.CheckConstraint(
                name="parked_placement_decision_is_complete",
                condition=Q(decision__isnull=True, decided_at__isnull=True, outcome__isnull=True)
                | Q(decision__isnull=False, decided_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["debtor", "-created_at"], name="parked_placement_debtor"),
            models.Index(fields=["-created_at", "-id"], name="parked_placement_newest"),
            models.Index(
                fields=["created_at", "id"], name="parked_placement_waits", condition=Q(decision__isnull=True)
            ),
        ]

    def cell(self, name: str) -> str | None:
        """Return the row's value in a column, by its API name."""
        cells: dict[str, Any] = self.row
        return cells.get(name)

    @property
    def name(self) -> str:
        """The name of the person or company in the row."""
        person = " ".join(filter(None, (self.cell("firstName"), self.cell("lastName"))))
        return person or self.cell("legalEntity") or ""

    def __str__(self) -> str:
        amount = f"{self.cell('originalBalance')} {self.cell('currencyCode')}"
        return f"{self.name}, {amount} of {self.cell('originalCreditor')}; known debtor: {self.debtor}"
