"""Creditors and their names."""

from django.db import models

from creditors.kinds import AllocationPolicy, DebtKind
from ddc.common import normal_forms
from ddc.common.models import UUIDModel


class Creditor(UUIDModel):
    """A company for which debts are collected."""

    code = models.CharField(max_length=50, null=True, blank=True, help_text="The agency's own short code.")
    name = models.CharField(max_length=255)
    debt_kind = models.CharField(
        "kind of debts", max_length=8, choices=[(kind.value, kind.label) for kind in DebtKind], blank=True, default="",
        db_default="", help_text="Of the debts that it places. Empty: unknown, so the rules for every kind apply.",
    )  # fmt: skip

    allocation_policy = models.CharField(
        "allocation of payments", max_length=20, choices=[(policy.value, policy.value) for policy in AllocationPolicy],
        blank=True, default="", db_default="", help_text="Agreed with the creditor. Empty: the law of the debtor's country.",
    )  # fmt: skip

    class Meta:
        db_table = "creditor"
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["code"], name="creditor_code_is_unique")]

    @property
    def aliases(self) -> list[str]:
        """The names other than its own, in alphabetical order."""
        own = normal_forms.name(self.name)
        return [known.name for known in self.names.all() if known.normal_form != own]

    def __str__(self) -> str:
        return self.name


class CreditorName(models.Model):
    """A creditor's own name or an alias. No two creditors share a normal form."""

    creditor = models.ForeignKey(Creditor, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=255)
    normal_form = models.CharField(max_length=normal_forms.MAX_LENGTH)

    class Meta:
        db_table = "creditor_name"
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["normal_form"], name="creditor_name_is_unique")]

    def __str__(self) -> str:
        return self.name
