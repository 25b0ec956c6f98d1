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


class CreditorLook(UUIDModel):
    """How the portal looks to debtors who owe to this creditor only. An empty value stands for the agency's."""

    creditor = models.OneToOneField(Creditor, on_delete=models.CASCADE, related_name="look")
    name = models.CharField("name shown", max_length=60, blank=True, default="")
    address = models.CharField("postal address", max_length=200, blank=True, default="")
    phone = models.CharField(max_length=30, blank=True, default="")
    email = models.EmailField("e-mail address", max_length=120, blank=True, default="")
    hours = models.CharField("hours of the phone", max_length=200, blank=True, default="")
    licence = models.CharField(max_length=300, blank=True, default="")
    notice = models.CharField(max_length=1000, blank=True, default="", help_text="Shown at the foot of each page.")
    colour = models.CharField(max_length=7, blank=True, default="", help_text="Such as #0b5a8a.")
    logo = models.BinaryField(null=True, editable=False, help_text="A PNG image.")
    logo_version = models.CharField("logo", max_length=64, blank=True, default="", editable=False, db_index=True)

    class Meta:
        db_table = "creditor_look"
        verbose_name = "look of the portal"
        verbose_name_plural = "looks of the portal"
        ordering = ["creditor"]

    def __str__(self) -> str:
        return self.name or self.creditor.name
