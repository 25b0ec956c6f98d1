"""What the contact gate keeps: policies in all their versions, every decision, and what debtors told of how to reach them."""

from datetime import time

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from collection.models import Debt
from communications.contact.rules import Counts, Policy, Scope, place
from ddc.common.models import UUIDModel, UUIDv7, newest_first, uuid7
from debtors.models import Debtor

WEEKDAYS = tuple(zip(range(1, 8), ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


class ContactPolicy(UUIDModel):
    """One version of one rule of one jurisdiction. A row never changes but for its last day: an edit is a new version."""

    jurisdiction = models.CharField(max_length=20, help_text="US-REGF, UK-CONC … DEFAULT counts where no other does.")
    code = models.CharField("rule", max_length=30, help_text="The rule's name within its jurisdiction.")
    version = models.PositiveIntegerField(default=1, editable=False)
    section = models.CharField(max_length=200, help_text="Where the law says so.")
    source = models.CharField(max_length=300, help_text="Where to read it.")
    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="ISO 3166-1 codes where it counts."
    )
    regions = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="States, by code and name; empty: all."
    )
    cities = ArrayField(models.CharField(max_length=60), default=list, blank=True, help_text="Empty: everywhere.")
    postal_prefixes = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, help_text="Beginnings of postal codes."
    )
    channels = ArrayField(models.CharField(max_length=12), default=list, blank=True, help_text="Empty: every channel.")
    valid_from = models.DateField(help_text="First day, by the debtor's calendar.")
    valid_to = models.DateField(null=True, blank=True, help_text="The day after the last; empty: no end.")
    opens = models.TimeField(null=True, blank=True, help_text="From when on, by the debtor's clock.")
    closes = models.TimeField(null=True, blank=True, help_text="Until when; at this moment it is too late.")
    weekend_opens = models.TimeField(null=True, blank=True, help_text="Where Saturday and Sunday differ.")
    weekend_closes = models.TimeField(null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS), default=list, blank=True,
        help_text="1 is Monday, 7 Sunday; empty: every day.",
    )  # fmt: skip
    no_holidays = models.BooleanField("not on public holidays", default=False)
    most = models.PositiveSmallIntegerField("at most", null=True, blank=True, help_text="Contacts in the time below.")
    per_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Calendar days, today included; empty: the calendar month."
    )
    scope = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in Scope], default=Scope.PERSON, help_text="Counted per this."
    )
    counts = models.CharField(
        max_length=15, choices=[(c.value, c.value) for c in Counts], default=Counts.ATTEMPTS, help_text="What counts."
    )
    cool_down_days = models.PositiveSmallIntegerField(
        "days free after a talk", null=True, blank=True, help_text="The day of the talk is the first."
    )
    consent_needed = models.BooleanField(default=False)
    consent_days = models.PositiveSmallIntegerField(
        "consent lasts days", null=True, blank=True, help_text="Empty: until it is taken back."
    )
    first_notice = models.BooleanField(
        default=False, help_text="The first contact about a debt carries the notice, and nothing overshadows it."
    )
    digest = models.CharField(max_length=64, editable=False, help_text="Of the pack's text; empty: made by hand.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

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
                name="contact_policy_is_valid_for_some_time_or_none",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="contact_policy_limits_are_positive",
                condition=(Q(most__isnull=True) | Q(most__gte=1))
                & (Q(per_days__isnull=True) | Q(per_days__gte=1, per_days__lte=31, most__isnull=False))
                & (Q(cool_down_days__isnull=True) | Q(cool_down_days__gte=1, cool_down_days__lte=31)),
            ),
        ]

    @property
    def value(self) -> Policy:
        """The policy as the gate takes it."""
        return Policy(
            jurisdiction=self.jurisdiction,
            code=self.code,
            section=self.section,
            version=self.version,
            countries=frozenset(self.countries),
            regions=frozenset(place("", name).region for name in self.regions),
            cities=frozenset(place("", city=name).city for name in self.cities),
            postal_prefixes=tuple(place("", postal_code=prefix).postal_code for prefix in self.postal_prefixes),
            channels=frozenset(self.channels),
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            opens=self.opens,
            closes=self.closes,
            weekend_opens=self.weekend_opens,
            weekend_closes=self.weekend_closes,
            weekdays=frozenset(self.weekdays),
            no_holidays=self.no_holidays,
            most=self.most,
            per_days=self.per_days,
            scope=Scope(self.scope),
            counts=Counts(self.counts),
            cool_down_days=self.cool_down_days,
            consent_needed=self.consent_needed,
            consent_days=self.consent_days,
            first_notice=self.first_notice,
        )

    def __str__(self) -> str:
        return f"{self.jurisdiction}/{self.code} version {self.version}"


class ContactDecision(models.Model):
    """What the gate said of one message at one moment, and by what facts. Never changed or deleted (a trigger sees to it).

    It names its message, debtor and debt without constraints: it stays whatever becomes of them.
    """

    class Stage(models.TextChoices):
        ASKED = "asked", "when somebody asked for it"
        QUEUED = "queued", "when the strategy had queued it"
        SENDING = "sending", "at the moment of sending"
        CALLING = "calling", "when an agent began the call"

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    log_id = models.UUIDField("message")
    debtor_id = models.UUIDField(null=True)
    debt_id = models.UUIDField(null=True)
    channel = models.CharField(max_length=12)
    purpose = models.CharField(max_length=12)
    stage = models.CharField(max_length=8, choices=Stage.choices)
    at = models.DateTimeField()
    verdict = models.CharField(max_length=8)
    until = models.DateTimeField(null=True)
    reasons = models.JSONField(default=list)
    policies = ArrayField(models.CharField(max_length=60), default=list, help_text="Those asked, with their versions.")
    facts = models.JSONField(default=dict, help_text="All that the decision depended on; addresses as digests.")
    facts_digest = models.CharField(max_length=64, help_text="SHA-256 of the facts.")

    class Meta:
        db_table = "contact_decision"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["log_id", "-at"], name="contact_decision_log"),
            models.Index(fields=["-at", "-id"], name="contact_decision_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} at {self.at:%Y-%m-%d %H:%M:%S}"


class ContactWish(UUIDModel):
    """What a debtor told us of when, where and how they may be reached (12 CFR 1006.6(b)(1) and 1006.14(h)). Until withdrawn.

    Times are by the clocks where the debtor may be; ``time_zone`` is where they told us that they are.
    """

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="contact_wishes")
    channels = ArrayField(
        models.CharField(max_length=12), default=list, blank=True, help_text="Which it is about; empty: all."
    )
    no_contact = models.BooleanField("not by these channels", default=False)
    work_address = models.CharField(
        "employer's address", max_length=254, blank=True, default="", help_text="An address at work: not to be used."
    )
    opens = models.TimeField("not before", null=True, blank=True)
    closes = models.TimeField("not after", null=True, blank=True)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS), default=list, blank=True,
        help_text="The days that suit them: 1 is Monday, 7 Sunday; empty: every day.",
    )  # fmt: skip
    time_zone = models.CharField(max_length=50, blank=True, default="", help_text="Where they are, as they told us.")
    told = models.CharField("what they told us", max_length=500)
    ended_at = models.DateTimeField("withdrawn at", null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        db_table = "contact_wish"
        ordering = newest_first()
        verbose_name_plural = "contact wishes"
        constraints = [
            models.CheckConstraint(
                name="contact_wish_closes_after_it_opens",
                condition=Q(opens__isnull=True, closes__isnull=True) | Q(opens__lt=F("closes")),
            ),
        ]

    @property
    def value(self) -> Policy:
        """The wish as one more policy. Who is not to be disturbed after some hour may be from midnight on."""
        opens = self.opens or (time.min if self.closes else None)
        return Policy(
            "THE DEBTOR", f"wish-{str(self.pk)[-6:]}", "12 CFR 1006.6(b)(1)",
            channels=frozenset(self.channels), opens=opens, closes=self.closes, weekdays=frozenset(self.weekdays),
        )  # fmt: skip

    def __str__(self) -> str:
        return self.told


class FirstNotice(models.Model):
    """The clock of a debt's validation notice: when it went, when it counts as received, and how long they may dispute."""

    debt = models.OneToOneField(Debt, on_delete=models.CASCADE, primary_key=True, related_name="first_notice")
    log_id = models.UUIDField("message", null=True, help_text="Empty: sent before the debt came to us.")
    sent_at = models.DateTimeField()
    received_on = models.DateField("assumed received", help_text="Five business days after it was sent.")
    period_ends_on = models.DateField(help_text="The last day of the thirty in which they may dispute.")

    class Meta:
        db_table = "first_notice"

    def __str__(self) -> str:
        return f"sent {self.sent_at:%Y-%m-%d}, may be disputed until {self.period_ends_on}"
