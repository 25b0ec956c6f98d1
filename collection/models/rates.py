"""What currencies are worth."""

from django.db import models
from django.db.models import Q


class ExchangeRate(models.Model):
    """How much of a currency one euro bought on a day, as the European Central Bank publishes it."""

    date = models.DateField()
    currency_code = models.CharField(max_length=3)
    per_euro = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        db_table = "exchange_rate"
        ordering = ["-date", "currency_code"]
        constraints = [
            models.UniqueConstraint(fields=["date", "currency_code"], name="exchange_rate_is_unique_per_day"),
            models.CheckConstraint(name="exchange_rate_is_positive", condition=Q(per_euro__gt=0)),
        ]
