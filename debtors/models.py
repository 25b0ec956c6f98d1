"""Who owes, and how and when they may be reached."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
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


class Medium(models.TextChoices):
    """What reaches a contact point: mail an e-mail address, text messages and calls a phone."""

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"


class StopReason(models.TextChoices):
    """Why a contact point is used no more. Only what its owner said is theirs to take back."""

    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    WRONG_NUMBER = "wrong_number"


def _is_out(name: str) -> Q:
    """The last word was a refusal: whichever order the two words come in, the later one counts."""
    out_at, in_at = f"{name}opted_out_at", f"{name}opted_in_at"
    return Q(**{f"{out_at}__isnull": False}) & (Q(**{f"{in_at}__isnull": True}) | Q(**{f"{in_at}__lte": F(out_at)}))


class ContactPointQuerySet(models.QuerySet["ContactPoint"]):
    def stopped(self, medium: Medium) -> "ContactPointQuerySet":
        """What this medium must not use any more."""
        return self.filter(calls_stopped=True) if medium == Medium.VOICE else self.filter(messages_stopped=True)


class ContactPoint(UUIDModel):
    """An e-mail address or phone that somebody has, or had: what they agreed to there, and what ended its use.

    A trigger makes one for each address that is written into a debtor, whoever writes it, and none ever goes with a change: so
    they are the history of each debtor's addresses, beside the current ones in the debtor's own row. What ended the use of an
    address counts on each row with its value: for whomever the address belongs to now.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "e-mail"
        PHONE = "phone"

    class Basis(models.TextChoices):
        """How we know that they agreed."""

        DEBTOR = "debtor", "told us"
        CREDITOR = "creditor", "told the creditor"
        PORTAL = "portal", "said so in the portal"
        REPLY = "reply", "wrote START"

    debtor = models.ForeignKey(
        Debtor, on_delete=models.SET_NULL, null=True, blank=True, related_name="contact_points", db_index=False
    )
    kind = models.CharField(max_length=5, choices=Kind.choices)
    value = models.CharField(max_length=254, help_text="An e-mail address in lower case, or a phone number (E.164).")
    verified_at = models.DateTimeField(null=True, blank=True, help_text="When they showed that it is theirs.")
    consent_basis = models.CharField(max_length=10, choices=Basis.choices, null=True, blank=True)
    consented_at = models.DateTimeField(
        null=True, blank=True, help_text="When they agreed to be written to there, by mail or by text message."
    )
    opted_out_at = models.DateTimeField(null=True, blank=True, help_text="Of mail, or of text messages.")
    opted_out_how = models.CharField(max_length=255, null=True, blank=True)
    opted_in_at = models.DateTimeField(null=True, blank=True)
    opted_in_how = models.CharField(max_length=255, null=True, blank=True)
    calls_opted_out_at = models.DateTimeField(null=True, blank=True)
    calls_opted_out_how = models.CharField(max_length=255, null=True, blank=True)
    calls_opted_in_at = models.DateTimeField(null=True, blank=True)
    calls_opted_in_how = models.CharField(max_length=255, null=True, blank=True)
    bounces = models.PositiveIntegerField(default=0, db_default=0, help_text="How often it was told that it is dead.")
    bounced_at = models.DateTimeField(null=True, blank=True, help_text="Since when nothing arrives there.")
    bounced_how = models.CharField(max_length=255, null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)
    complained_how = models.CharField(max_length=255, null=True, blank=True)
    wrong_number_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody else answered there, who must not be told of a debt again."
    )
    wrong_number_how = models.CharField(max_length=255, null=True, blank=True)
    messages_stopped = models.GeneratedField(
        expression=Case(
            When(
                _is_out("")
                | Q(bounced_at__isnull=False)
                | Q(complained_at__isnull=False)
                | Q(wrong_number_at__isnull=False),
                then=Value(True),
            ),
            default=Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    calls_stopped = models.GeneratedField(
        expression=Case(
            When(_is_out("calls_") | Q(wrong_number_at__isnull=False), then=Value(True)), default=Value(False)
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    objects = ContactPointQuerySet.as_manager()

    class Meta:
        db_table = "contact_point"
        ordering = newest_first()
        permissions = [("note_consent", "Can note that somebody agreed to be written to")]
        constraints = [models.UniqueConstraint(fields=["debtor", "kind", "value"], name="contact_point_is_noted_once")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="contact_point_newest"),
            models.Index(fields=["value", "kind"], name="contact_point_value"),
            models.Index(
                fields=["kind", "value"],
                name="contact_point_stopped",
                condition=Q(messages_stopped=True) | Q(calls_stopped=True),
            ),
        ]

    @property
    def stops(self) -> list[str]:
        """What ended its use, in words."""
        told = (
            ("opted out", self.opted_out_at, self.opted_in_at),
            ("no calls", self.calls_opted_out_at, self.calls_opted_in_at),
            ("bounced", self.bounced_at, None),
            ("complained", self.complained_at, None),
            ("wrong number", self.wrong_number_at, None),
        )
        return [words for words, since, until in told if since and (until is None or until <= since)]

    def __str__(self) -> str:
        return self.value
