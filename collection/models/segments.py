"""Segments."""

from django.db import models
from django.db.models import Q

from ddc.common.models import UUIDModel, newest_first
from ddc.common.money import money_field


class Segment(UUIDModel):
    """A group of debts, to which strategy rules refer. Bands are half-open, ``min <= x < max``; null means no bound."""

    name = models.CharField(max_length=100)
    priority = models.IntegerField(default=100, help_text="1 is tried first; of two with the same priority, the older.")
    min_p2p_score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    max_p2p_score = models.DecimalField(max_digits=4, decimal_places=3, null=True, blank=True)
    min_balance = money_field(null=True, blank=True)
    max_balance = money_field(null=True, blank=True)
    currency_code = models.CharField(
        max_length=3, null=True, blank=True, help_text="ISO 4217; required with a balance band"
    )
    min_days_since_placement = models.PositiveIntegerField(null=True, blank=True)
    max_days_since_placement = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "segment"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(fields=["name"], name="segment_name_is_unique"),
            models.CheckConstraint(
                name="segment_p2p_band_is_not_empty", condition=Q(min_p2p_score__lt=models.F("max_p2p_score"))
            ),
            models.CheckConstraint(
                name="segment_balance_band_is_not_empty", condition=Q(min_balance__lt=models.F("max_balance"))
            ),
            models.CheckConstraint(
                name="segment_days_band_is_not_empty",
                condition=Q(min_days_since_placement__lt=models.F("max_days_since_placement")),
            ),
            models.CheckConstraint(
                name="segment_balance_band_has_a_currency",
                condition=Q(min_balance__isnull=True, max_balance__isnull=True) | Q(currency_code__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["currency_code", "priority", "created_at", "id"],
                name="segment_by_currency",
                condition=Q(is_active=True),
            )
        ]

    def __str__(self) -> str:
        return self.name
