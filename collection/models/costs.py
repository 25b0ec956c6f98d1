"""Rules about the costs and fees that may be charged."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents.models import agent_field
from collection.claims import costs
from collection.claims.costs import Parties
from collection.models.interest import CONFIDENCE
from ddc.common.models import UUIDModel


class CostRule(UUIDModel):
    """A rule about costs that may be charged, from a day on until the next version. A trigger prevents changes."""

    code = models.CharField(max_length=30)
    name = models.CharField(max_length=150)
    component = models.CharField(
        max_length=5,
        choices=[("costs", "Costs of the creditor and of legal pursuit"), ("fees", "The agency's own fees")],
        default="costs",
    )
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True, help_text="None: any.")
    currency_code = models.CharField("currency", max_length=3, help_text="ISO 4217")
    parties = models.CharField(
        max_length=3, choices=[(choice.value, choice.value) for choice in Parties], default=Parties.ANY.value
    )
    valid_from = models.DateField(help_text="The first day of mandates for which it counts.")
    table = models.JSONField(help_text="How the amount follows from the claim.")
    base_less_paid_in_time = models.BooleanField(
        "less what was paid in time", default=False, help_text="Whether payments within the free term lower the claim."
    )
    section = models.CharField("legal basis", max_length=255)
    source = models.CharField(max_length=500)
    checked_on = models.DateField(null=True, blank=True, help_text="When it was compared with the source.")
    confidence = models.CharField(max_length=10, choices=CONFIDENCE, default="primary")
    by = agent_field(editable=False, help_text="Empty: shipped with the product.")

    class Meta:
        db_table = "cost_rule"
        ordering = ["code", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="cost_rule_is_unique_per_day"),
        ]

    @property
    def value(self) -> costs.Rule:
        """The rule as plain values."""
        return costs.Rule(
            code=self.code,
            name=self.name,
            component=self.component,
            countries=frozenset(self.countries),
            currency_code=self.currency_code,
            parties=Parties(self.parties),
            section=self.section,
            source=self.source,
            checked_on=self.checked_on,
            confidence=self.confidence,
            valid_from=self.valid_from,
            table=costs.table_from(self.table),
            base_less_paid_in_time=self.base_less_paid_in_time,
        )

    def __str__(self) -> str:
        return f"{self.code} from {self.valid_from}"
