"""Rates of interest by series, and the schedules that debts follow."""

from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q

from agents.models import agent_field
from collection.claims.interest import Compounding, DayCount, Rate, Reset, next_half_year
from ddc.common import days
from ddc.common.models import UUIDModel

CONFIDENCE = [("primary", "The text itself was read"), ("secondary", "Read elsewhere"), ("memory", "From memory")]


def percent_field(**kwargs: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for a rate in percent a year."""
    return models.DecimalField(max_digits=9, decimal_places=5, **kwargs)


class SeriesRate(UUIDModel):
    """A published rate: from its first day until the next one of its series."""

    series = models.CharField(max_length=30)
    valid_from = models.DateField()
    rate = percent_field(help_text="In percent a year; it may be negative.")
    source = models.CharField(max_length=500)
    applied_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When debts with later entries were computed again."
    )

    class Meta:
        db_table = "series_rate"
        verbose_name = "rate of a series"
        verbose_name_plural = "rate series"
        ordering = ["series", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["series", "valid_from"], name="series_rate_is_unique_per_day"),
        ]

    @property
    def value(self) -> Rate:
        return Rate(self.valid_from, self.rate)

    def __str__(self) -> str:
        return f"{self.series} {self.rate.normalize():f} % from {self.valid_from}"


class InterestSchedule(UUIDModel):
    """How much interest debts bear. A trigger prevents changes: debts refer to a version, and a change is a new one."""

    code = models.CharField(max_length=30)
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=150)
    series = models.CharField(max_length=30, blank=True, default="", db_default="", help_text="Empty: a fixed rate.")
    margin = percent_field(default=0, db_default=0, help_text="Percentage points above the rate of the series.")
    fixed_percent = percent_field(null=True, blank=True, help_text="In percent a year, instead of a series.")
    reset = models.CharField(
        max_length=15,
        choices=[(choice.value, choice.value.replace("_", " ")) for choice in Reset],
        default=Reset.FLOATING.value,
        help_text="Whether the rate follows the series, or stays as it was on the first day.",
    )
    half_yearly = models.BooleanField(
        default=False, help_text="The series has a rate for each half-year; an older one does not stand in for it."
    )
    day_count = models.CharField(
        max_length=10, choices=[(choice.value, choice.value) for choice in DayCount], default=DayCount.ACT_365.value
    )
    compounding = models.CharField(
        max_length=15, choices=[(c.value, c.value) for c in Compounding], default=Compounding.NONE.value
    )
    on_costs = models.BooleanField("on costs too", default=False, help_text="Whether costs bear interest.")
    section = models.CharField(max_length=255, help_text="The law or contract.")
    source = models.CharField(max_length=500)
    checked_on = models.DateField(null=True, blank=True, help_text="When it was compared with the source.")
    confidence = models.CharField(max_length=10, choices=CONFIDENCE, default="primary")
    by = agent_field(editable=False, help_text="Empty: shipped with the product.")

    class Meta:
        db_table = "interest_schedule"
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="interest_schedule_version_is_unique"),
            models.CheckConstraint(
                name="interest_schedule_has_a_series_or_a_fixed_rate",
                condition=Q(series="", fixed_percent__gte=0) | (~Q(series="") & Q(fixed_percent__isnull=True)),
            ),
        ]

    @property
    def no_rate_from(self) -> date | None:
        """The first day without a known rate, of a row of ``schedules.with_rates``; None: the last one stays."""
        if not self.series:
            return None
        if self.newest_rate is None:  # type: ignore[attr-defined]
            return days.EARLIEST["due_date"]
        return next_half_year(self.newest_rate) if self.half_yearly else None  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return f"{self.code} (version {self.version})"
