"""Templates and the versions of their text."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from ddc.common.models import UUIDModel, newest_first
from debtors.channels import Channel


class CommunicationTemplate(UUIDModel):
    """A text with ``{{placeholders}}`` in one language; the variants of a template share its name."""

    name = models.CharField(max_length=100)
    language = models.CharField(max_length=20, default="en", help_text="BCP 47")
    description = models.CharField(max_length=255, null=True, blank=True)
    communication_type = models.CharField("type", max_length=12, choices=Channel.choices)
    subject = models.CharField(max_length=255, null=True, blank=True, help_text="Required for e-mail.")
    body = models.TextField()
    is_active = models.BooleanField(default=True)
    is_validation_notice = models.BooleanField(
        "is a validation notice",
        default=False,
        db_default=False,
        help_text="Carries the validation notice (12 CFR 1006.34(c)).",
    )
    overshadows = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Presses for payment, so it is not sent during the validation period.",
    )
    asks_for_payment = models.BooleanField(
        default=False, db_default=False, help_text="Not sent while a hold blocks payment requests."
    )

    class Meta:
        db_table = "communication_templates"
        ordering = newest_first()
        permissions = [("send_communicationtemplate", "Can send a template to a debtor")]
        constraints = [
            models.UniqueConstraint(fields=["name", "language"], name="template_name_is_unique_per_language"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class CommunicationTemplateVersion(models.Model):
    """One version of a template's text. A trigger refuses to change it, or to delete it without its template."""

    template = models.ForeignKey(
        CommunicationTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField(help_text="1 is the first.")
    language = models.CharField(max_length=20)
    subject = models.CharField(max_length=255, null=True, blank=True)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        db_table = "communication_template_version"
        ordering = ["template", "-number"]
        verbose_name = "template version"
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
