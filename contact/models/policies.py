"""Contact policies in all their versions."""

from dataclasses import fields

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from contact.engine.policies import Counted, Policy, Scope, location, region_code
from ddc.common.models import UUIDModel

WEEKDAYS = tuple(zip(range(1, 8), ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


class ContactPolicy(UUIDModel):
    """One version of one rule of one jurisdiction. Only its last day ever changes: an edit makes a new version."""

    jurisdiction = models.CharField(
        max_length=20, help_text="US-REGF, UK-CONC … DEFAULT applies where no other jurisdiction does."
    )
    code = models.CharField("rule", max_length=30, help_text="The rule's name within its jurisdiction.")
    version = models.PositiveIntegerField(default=1, editable=False)
    section = models.CharField(max_length=200, help_text="The section of the law.")
    source = models.CharField(max_length=300, help_text="Where the law can be read.")
    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="ISO 3166-1 codes where it applies."
    )
    regions = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="States, by code and name; empty: all."
    )
    cities = ArrayField(models.CharField(max_length=60), default=list, blank=True, help_text="Empty: everywhere.")
    postal_prefixes = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, help_text="First characters of postal codes."
    )
    channels = ArrayField(models.CharField(max_length=12), default=list, blank=True, help_text="Empty: every channel.")
    valid_from = models.DateField(help_text="First day, by the debtor's calendar.")
    valid_to = models.DateField(null=True, blank=True, help_text="The day after the last; empty: no end.")
    opens = models.TimeField(null=True, blank=True, help_text="First allowed time, by the debtor's clock.")
    closes = models.TimeField(null=True, blank=True, help_text="End of the allowed time; not allowed at this moment.")
    weekend_opens = models.TimeField(null=True, blank=True, help_text="Where Saturday and Sunday differ.")
    weekend_closes = models.TimeField(null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS), default=list, blank=True,
        help_text="1 is Monday, 7 Sunday; empty: every day.",
    )  # fmt: skip
    no_holidays = models.BooleanField("not on public holidays", default=False)
    max_contacts = models.PositiveSmallIntegerField(
        "at most", null=True, blank=True, help_text="Number of contacts in the period below."
    )
    per_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Calendar days, today included; empty: the calendar month."
    )
    scope = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in Scope], default=Scope.PERSON, help_text="Counted per this."
    )
    counted = models.CharField(
        max_length=15, choices=[(c.value, c.value) for c in Counted], default=Counted.ATTEMPTS,
        help_text="Which contacts count.",
    )  # fmt: skip
    cooling_off_days = models.PositiveSmallIntegerField(
        "cooling-off days",
        null=True,
        blank=True,
        help_text="Days without calls; the day of the conversation is the first.",
    )
    consent_needed = models.BooleanField(default=False)
    consent_days = models.PositiveSmallIntegerField(
        "consent lasts days", null=True, blank=True, help_text="Empty: until it is withdrawn."
    )
    validation_notice = models.BooleanField(
        default=False, help_text="The first contact about a debt carries the validation notice; nothing overshadows it."
    )
    digest = models.CharField(max_length=64, editable=False, help_text="Of the pack's text; empty: made by hand.")
    by = agent_field(editable=False)

    class Meta:
        db_table = "contact_policy"
        ordering = ["jurisdiction", "code", "-version"]
        verbose_name_plural = "contact policies"
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "code", "version"], name="contact_policy_version_is_unique"
            ),
            models.CheckConstraint(
                name="contact_policy_closes_after_it_opens",
                condition=Q(opens__isnull=True, closes__isnull=True) | Q(opens__lt=F("closes")),
            ),
            models.CheckConstraint(
                name="contact_policy_weekend_closes_after_it_opens",
                condition=Q(weekend_opens__isnull=True, weekend_closes__isnull=True)
                | Q(weekend_opens__lt=F("weekend_closes"), opens__isnull=False),
            ),
            models.CheckConstraint(
                name="contact_policy_ends_after_it_starts",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="contact_policy_limits_are_positive",
                condition=(Q(max_contacts__isnull=True) | Q(max_contacts__gte=1))
                & (Q(per_days__isnull=True) | Q(per_days__gte=1, per_days__lte=31, max_contacts__isnull=False))
                & (Q(cooling_off_days__isnull=True) | Q(cooling_off_days__gte=1, cooling_off_days__lte=31)),
            ),
        ]

    @property
    def value(self) -> Policy:
        """The policy as the gate takes it."""
        values = {field.name: getattr(self, field.name) for field in fields(Policy)}
        sets = {name: frozenset(values[name]) for name in ("countries", "channels", "weekdays")}
        return Policy(**values | sets | {
            "regions": frozenset(region_code(country, name) for country in self.countries for name in self.regions) - {""},
            "cities": frozenset(location("", city=name).city for name in self.cities),
            "postal_prefixes": tuple(location("", postal_code=prefix).postal_code for prefix in self.postal_prefixes),
            "scope": Scope(self.scope),
            "counted": Counted(self.counted),
        })  # fmt: skip

    def __str__(self) -> str:
        return f"{self.jurisdiction}/{self.code} version {self.version}"
