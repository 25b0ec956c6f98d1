"""Bank accounts to which debtors transfer money, and the references by which their transfers are recognized."""

from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from collection.models import Debt
from creditors.models import Creditor
from ddc.common.models import UUIDModel, newest_first


class BankAccount(UUIDModel):
    """An account for transfers in one currency: a creditor's, or the agency's for all creditors without one.

    A row never changes: a change is a new row, in force once a second person has approved it, and then replaces the earlier one.
    """

    class Decision(models.TextChoices):
        APPROVED = "approved"
        REJECTED = "rejected"

    creditor = models.ForeignKey(
        Creditor, on_delete=models.PROTECT, null=True, blank=True, related_name="bank_accounts",
        help_text="Empty: the agency's account for all creditors that have none.",
    )  # fmt: skip
    holder = models.CharField(
        max_length=70, help_text="The registered name: the payer's bank compares it, and warns if it differs."
    )
    iban = models.CharField("IBAN", max_length=34)
    bic = models.CharField("BIC", max_length=11, blank=True, default="")
    currency_code = models.CharField("currency", max_length=3)
    proposed_by = agent_field(editable=False)
    decision = models.CharField(max_length=8, choices=Decision.choices, null=True, blank=True, editable=False)
    decided_by = agent_field(editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "bank_account"
        ordering = newest_first()
        permissions = [("decide_bankaccount", "Can approve and reject bank accounts")]
        constraints = [
            models.UniqueConstraint(
                fields=["creditor", "currency_code"],
                condition=Q(decision="approved", replaced_at__isnull=True),
                nulls_distinct=False,
                name="bank_account_in_force_is_unique",
            ),
            models.CheckConstraint(
                name="bank_account_is_approved_by_a_second_person",
                condition=Q(decision__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | Q(decision="rejected", decided_by__isnull=False, decided_at__isnull=False)
                | (
                    Q(
                        decision="approved",
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                        proposed_by__isnull=False,
                    )
                    & ~Q(decided_by=F("proposed_by"))
                ),
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="bank_account_newest")]

    @property
    def status(self) -> str:
        """One of proposed, in force, replaced and rejected."""
        if self.decision == self.Decision.APPROVED:
            return "replaced" if self.replaced_at else "in force"
        return self.decision or "proposed"

    def __str__(self) -> str:
        return f"{self.holder}, {self.iban}"


class CreditorReference(models.Model):
    """The number from which the creditor reference (ISO 11649) of a debt is made; see ``payments.creditor_references``."""

    id = models.BigAutoField(primary_key=True)
    debt = models.OneToOneField(Debt, on_delete=models.CASCADE, related_name="creditor_reference")

    class Meta:
        db_table = "creditor_reference"
