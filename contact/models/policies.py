"""Contact policies in all their versions."""

from dataclasses import fields
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from agents.models import agent_field
from contact.engine import hours
from contact.engine.policies import (
    Calendar,
    Counted,
    DebtorKind,
    Event,
    NumberKind,
    Policy,
    Scope,
    location,
    region_code,
)
from creditors.kinds import DebtKind
from ddc.common.models import UUIDModel

WEEKDAYS = tuple(zip(range(1, 8), ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


def validate_hours(text: str) -> None:
    """Refuse hours that are not understood."""
    try:
        hours.parse(text)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid") from error


def _choices(kinds: type[StrEnum]) -> list[tuple[str, str]]:
    return [(kind.value, kind.value) for kind in kinds]


def _kinds(kinds: type[StrEnum], help_text: str) -> "ArrayField[list[str], list[str]]":
    return ArrayField(
        models.CharField(max_length=10, choices=_choices(kinds)), default=list, blank=True, help_text=help_text
    )


def _in_range(name: str, highest: int) -> Q:
    return Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 1, f"{name}__lte": highest})


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
    hours = models.CharField(
        max_length=300, blank=True, default="", validators=[validate_hours],
        help_text="By the debtor's clock, such as: Mon-Fri 08:00-20:00; Sat 09:00-13:00; holidays off. Empty: any hour.",
    )  # fmt: skip
    number_kinds = _kinds(NumberKind, "Kinds of phone number; empty: all. An unknown kind counts as each of them.")
    debt_kinds = _kinds(DebtKind, "Kinds of debt; empty: all. An unknown kind counts as each of them.")
    debtor_kinds = _kinds(DebtorKind, "Kinds of debtor; empty: all.")
    max_contacts = models.PositiveSmallIntegerField(
        "at most", null=True, blank=True, help_text="Number of contacts in the period below."
    )
    max_channels = models.PositiveSmallIntegerField(
        "channels at most",
        null=True,
        blank=True,
        help_text="Number of channels in the period below; all calls are one.",
    )
    per_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Calendar days, today included; up to 366."
    )
    per_calendar = models.CharField(
        "per calendar period", max_length=5, blank=True, default="", choices=_choices(Calendar),
        help_text="Instead of days: a week from Monday, a month or a year.",
    )  # fmt: skip
    scope = models.CharField(
        max_length=10, choices=_choices(Scope), default=Scope.PERSON, help_text="Counted per this."
    )
    counted = models.CharField(
        max_length=15, choices=_choices(Counted), default=Counted.ATTEMPTS, help_text="Which contacts count."
    )
    unless_consented = models.BooleanField(default=False, help_text="The limit is for contacts without consent.")
    cooling_off_days = models.PositiveSmallIntegerField(
        "cooling-off days",
        null=True,
        blank=True,
        help_text="Days without contact; the day of the conversation is the first.",
    )
    call_back_days = models.PositiveSmallIntegerField(
        "days of a call back", null=True, blank=True,
        help_text="A call that the debtor asked for in so many days neither counts nor is blocked.",
    )  # fmt: skip
    consent_needed = models.BooleanField(default=False)
    consent_days = models.PositiveSmallIntegerField(
        "consent lasts days", null=True, blank=True, help_text="Empty: until it is withdrawn."
    )
    validation_notice = models.BooleanField(
        default=False, help_text="The first contact about a debt carries the validation notice; nothing overshadows it."
    )
    notice_days = models.PositiveSmallIntegerField(
        "days until the notice", null=True, blank=True,
        help_text="The notice may follow so many days after the first contact; empty: it comes first.",
    )  # fmt: skip
    wait_days = models.PositiveSmallIntegerField(
        "days to wait", null=True, blank=True, help_text="Days that pass between the event below and the first contact."
    )
    wait_from = models.CharField(
        max_length=6, blank=True, default="", choices=_choices(Event), help_text="The written notice, or the due date."
    )
    checked_on = models.DateField(null=True, blank=True, help_text="When somebody last compared it with its source.")
    confidence = models.CharField(
        max_length=9, blank=True, default="", choices=[(c, c) for c in ("primary", "secondary", "memory")],
        help_text="Read in the law itself, read about in another text, or not read again.",
    )  # fmt: skip
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
                name="contact_policy_ends_after_it_starts",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="contact_policy_limits_are_positive",
                condition=_in_range("max_contacts", 32_767)
                & _in_range("max_channels", 4)
                & _in_range("per_days", 366)
                & _in_range("cooling_off_days", 366)
                & _in_range("call_back_days", 366)
                & _in_range("notice_days", 366)
                & _in_range("wait_days", 366),
            ),
            models.CheckConstraint(
                name="contact_policy_limit_has_a_period",
                condition=Q(
                    max_contacts__isnull=True, max_channels__isnull=True, per_days__isnull=True, per_calendar=""
                )
                | (
                    (Q(max_contacts__isnull=False) | Q(max_channels__isnull=False))
                    & (Q(per_days__isnull=False, per_calendar="") | (Q(per_days__isnull=True) & ~Q(per_calendar="")))
                ),
            ),
            models.CheckConstraint(
                name="contact_policy_waits_from_an_event",
                condition=Q(wait_days__isnull=True, wait_from="") | (Q(wait_days__isnull=False) & ~Q(wait_from="")),
            ),
        ]

    @property
    def value(self) -> Policy:
        """The policy as the gate takes it."""
        values = {field.name: getattr(self, field.name) for field in fields(Policy)}
        sets = {
            name: frozenset(values[name])
            for name in ("countries", "channels", "number_kinds", "debt_kinds", "debtor_kinds")
        }
        return Policy(**values | sets | {
            "regions": frozenset(region_code(country, name) for country in self.countries for name in self.regions) - {""},
            "cities": frozenset(location("", city=name).city for name in self.cities),
            "postal_prefixes": tuple(location("", postal_code=prefix).postal_code for prefix in self.postal_prefixes),
            "scope": Scope(self.scope),
            "counted": Counted(self.counted),
        })  # fmt: skip

    def __str__(self) -> str:
        return f"{self.jurisdiction}/{self.code} version {self.version}"
