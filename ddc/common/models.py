"""What every row has."""

import secrets
import time
import uuid

from django.db import models
from django.db.models import Func
from django.db.models.functions import Now
from django.utils import timezone


def uuid7() -> uuid.UUID:
    """Make a UUID version 7 (RFC 9562, section 5.7): milliseconds since 1970, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1)


class UUIDv7(Func):
    """PostgreSQL 18's own generator, for rows that SQL writes."""

    function = "uuidv7"
    template = "%(function)s()"
    output_field = models.UUIDField()


class ClockTimestamp(Func):
    """The wall clock at this very statement; ``now()`` would be the transaction's start, before any wait for a lock."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = models.DateTimeField()


class UUIDModel(models.Model):
    """A row with an id (UUID version 7), and when it was made and last changed (UTC)."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        abstract = True


def newest_first() -> list[str]:
    """The order of every list: an id breaks ties, so that pages neither repeat nor skip a row."""
    return ["-created_at", "-id"]
