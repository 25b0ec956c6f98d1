"""Who owes, and how and when they may be reached."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower

from ddc.common.models import UUIDModel, newest_first


def pattern_of(words: str) -> str:
    """Return the LIKE pattern of what contains these words, as they stand."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class DebtorQuerySet(models.QuerySet["Debtor"]):
    def matching(self, words: str) -> "DebtorQuerySet":
        """Debtors with this part in a name, the full name, the e-mail address or the legal entity.

        Case and accents don't count; ``%`` and ``_`` are plain characters.
        """
        pattern = Func(Value(pattern_of(words)), function="search_text", output_field=models.TextField())
        return self.alias(_pattern=pattern).filter(search__like=F("_pattern"))


@models.TextField.register_lookup
class Like(models.Lookup):  # type: ignore[type-arg]
    """SQL's own LIKE, whose right side is a pattern already."""

    lookup_name = "like"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} LIKE {right}", [*left_params, *right_params]


class Debtor(UUIDModel):
    """A person or a company that owes. Optional text is null where it isn't known."""

    first_name = models.CharField(max_length=100, null=True, blank=True)
    last_name = models.CharField(max_length=100, null=True, blank=True)
    legal_entity = models.CharField(max_length=255, null=True, blank=True)
    email = models.CharField(max_length=254)
    mobile_phone = models.CharField("mobile phone", max_length=16, null=True, blank=True, help_text="E.164")
    dob = models.DateField("date of birth", null=True, blank=True)
    address_line1 = models.CharField(max_length=255, null=True, blank=True)
    address_line2 = models.CharField(max_length=255, null=True, blank=True)
    city = models.CharField(max_length=255, null=True, blank=True)
    region_state = models.CharField("region or state", max_length=255, null=True, blank=True)
    postal_code = models.CharField(max_length=255, null=True, blank=True)
    country_code = models.CharField(
        "country", max_length=2, null=True, blank=True, help_text="ISO 3166-1 alpha-2, upper case"
    )
    language_preference = models.CharField("language", max_length=20, null=True, blank=True, help_text="BCP 47")
    tracking_consent_at = models.DateTimeField(
        "consent to open tracking",
        null=True,
        blank=True,
        help_text="When they agreed that mail may tell us of its opening.",
    )
    token_version = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="Raised to end every token that the debtor holds."
    )
    search = models.GeneratedField(
        expression=Func(F("first_name"), F("last_name"), F("email"), F("legal_entity"), function="debtor_search_text"),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = DebtorQuerySet.as_manager()

    class Meta:
        db_table = "debtor"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(Lower("email"), name="debtor_email_is_unique"),
            models.UniqueConstraint(fields=["mobile_phone"], name="debtor_mobile_phone_is_unique"),
            models.CheckConstraint(
                name="debtor_is_a_person_or_a_company",
                condition=Q(first_name__isnull=False, last_name__isnull=False) | Q(legal_entity__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="debtor_newest"),
            models.Index(fields=["country_code", "-created_at", "-id"], name="debtor_country_newest"),
            GinIndex(fields=["search"], opclasses=["gin_trgm_ops"], name="debtor_search_trigrams"),
        ]

    @property
    def name(self) -> str:
        """The person's full name, else the company's."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.legal_entity or ""

    def __str__(self) -> str:
        return self.name


class Suppression(UUIDModel):
    """An address that is written to no more: it opted out, or it doesn't work. It counts whoever the address belongs to."""

    class Medium(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"
        VOICE = "voice"

    class Reason(models.TextChoices):
        OPTED_OUT = "opted_out"
        BOUNCED = "bounced"
        COMPLAINED = "complained"

    medium = models.CharField(max_length=10, choices=Medium.choices)
    address = models.CharField(max_length=254, help_text="An e-mail address in lower case, or a phone number (E.164).")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    source = models.CharField(max_length=255, help_text="How we know: the text of the reply, the provider's words.")

    class Meta:
        db_table = "suppression"
        ordering = newest_first()
        constraints = [models.UniqueConstraint(fields=["medium", "address"], name="suppression_is_unique")]

    def __str__(self) -> str:
        return f"{self.address} ({self.medium})"
