"""Columns for amounts."""

from typing import Any

from django.db import models

from ddc.common.money import DECIMAL_PLACES, MAX_DIGITS


def money_field(**kwargs: Any) -> "models.DecimalField[Any, Any]":
    """Make a column for an amount; its currency stands in the same row's ``currency_code``."""
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **kwargs)
