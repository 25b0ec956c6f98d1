"""The validation notice of a debt."""

from django.db import models

from collection.models import Debt


class ValidationNotice(models.Model):
    """When a debt's validation notice was sent, when it counts as received, and how long the debt may be disputed."""

    debt = models.OneToOneField(Debt, on_delete=models.CASCADE, primary_key=True, related_name="validation_notice")
    message_id = models.UUIDField("message", null=True, help_text="Empty: sent before the debt was placed here.")
    sent_at = models.DateTimeField()
    received_on = models.DateField("assumed received", help_text="Five business days after it was sent.")
    period_ends_on = models.DateField(help_text="Last of the thirty days in which the debt may be disputed.")

    class Meta:
        db_table = "validation_notice"

    def __str__(self) -> str:
        return f"sent {self.sent_at:%Y-%m-%d}, may be disputed until {self.period_ends_on}"
