"""The contact preferences of debtors."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from contact.engine import hours
from contact.engine.policies import Policy
from contact.models.policies import WEEKDAYS
from ddc.common.models import UUIDModel, newest_first
from debtors.models import Debtor


class ContactPreferenceQuerySet(models.QuerySet["ContactPreference"]):
    def active(self) -> "ContactPreferenceQuerySet":
        return self.filter(withdrawn_at__isnull=True)


class ContactPreference(UUIDModel):
    """When, where and how a debtor wants to be reached (12 CFR 1006.6(b)(1) and 1006.14(h)). It applies until withdrawn.

    Times are by the clocks where the debtor may be; ``time_zone`` is one more such clock.
    """

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="contact_preferences")
    channels = ArrayField(
        models.CharField(max_length=12), default=list, blank=True, help_text="Channels it is about; empty: all."
    )
    no_contact = models.BooleanField("not by these channels", default=False)
    work_address = models.CharField(
        "employer's address", max_length=254, blank=True, default="", help_text="An address at work, not to be used."
    )
    opens = models.TimeField("not before", null=True, blank=True)
    closes = models.TimeField("not after", null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS), default=list, blank=True,
        help_text="Convenient days: 1 is Monday, 7 Sunday; empty: every day.",
    )  # fmt: skip
    time_zone = models.CharField(max_length=50, blank=True, default="", help_text="Where the debtor is now.")
    statement = models.CharField("debtor's words", max_length=500)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    by = agent_field(editable=False)

    objects = ContactPreferenceQuerySet.as_manager()

    class Meta:
        db_table = "contact_preference"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="contact_preference_closes_after_it_opens",
                condition=Q(opens__isnull=True, closes__isnull=True) | Q(opens__lt=F("closes")),
            ),
        ]

    @property
    def has_times(self) -> bool:
        return self.opens is not None or self.closes is not None or bool(self.weekdays)

    def is_about(self, channel: str) -> bool:
        return not self.channels or channel in self.channels

    @property
    def value(self) -> Policy:
        """The preferred times as one more policy. With only an end, the day is open from midnight on."""
        days = frozenset(self.weekdays)
        text = hours.write(self.opens or time.min, self.closes or time.min, days) if self.has_times else ""
        channels = frozenset(self.channels)
        return Policy("DEBTOR", f"preference-{str(self.pk)[-6:]}", "12 CFR 1006.6(b)(1)", channels=channels, hours=text)

    def __str__(self) -> str:
        return self.statement
