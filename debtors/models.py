"""Debtors, their contact points (addresses with opt-outs and delivery problems), and their consents."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When

from agents.models import agent_field
from ddc.common.models import NormalFormField, NormalFormModel, NormalFormQuerySet, UUIDModel, newest_first
from ddc.common.text_search import pattern_of, search_text
from debtors import emails, phones
from debtors.channels import AddressKind, Channel


class DebtorQuerySet(NormalFormQuerySet["Debtor"]):
    def matching(self, words: str) -> "DebtorQuerySet":
        """Return the debtors with the words in their first, last or full name, e-mail address or legal entity.

        The search ignores case and accents; ``%`` and ``_`` are ordinary characters.
        """
        return self.alias(_pattern=search_text(Value(pattern_of(words)))).filter(search__like=F("_pattern"))


class Debtor(NormalFormModel):
    """A person or company that owes a debt. Unknown optional text is null."""

    first_name = models.CharField(max_length=100, null=True, blank=True)
    last_name = models.CharField(max_length=100, null=True, blank=True)
    legal_entity = models.CharField(max_length=255, null=True, blank=True)
    email = models.CharField(
        max_length=254, null=True, blank=True, help_text="Only a debtor of a placement file lacks one."
    )
    mobile_phone = models.CharField("mobile phone", max_length=16, null=True, blank=True, help_text="E.164")
    normal_email = NormalFormField(of="email", form=emails.normal_form, max_length=254)
    normal_phone = NormalFormField(of="mobile_phone", form=phones.normal_form, max_length=20)
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
        editable=False,
        help_text="Time at which the debtor agreed to open tracking of mail.",
    )
    token_version = models.PositiveIntegerField(
        default=1, db_default=1, editable=False, help_text="Increased to revoke all tokens of the debtor."
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
            models.UniqueConstraint(fields=["normal_email"], name="debtor_email_is_unique"),
            models.UniqueConstraint(fields=["normal_phone"], name="debtor_mobile_phone_is_unique"),
            models.CheckConstraint(
                name="debtor_has_normal_forms",
                condition=Q(Q(normal_email__isnull=False) | Q(email=""))
                & Q(Q(normal_phone__isnull=False) | Q(mobile_phone__isnull=True) | Q(mobile_phone="")),
            ),
            models.CheckConstraint(
                name="debtor_is_a_person_or_a_company",
                condition=Q(first_name__isnull=False) | Q(last_name__isnull=False) | Q(legal_entity__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="debtor_newest"),
            models.Index(fields=["country_code", "-created_at", "-id"], name="debtor_country_newest"),
            GinIndex(fields=["search"], opclasses=["gin_trgm_ops"], name="debtor_search_trigrams"),
            GinIndex(
                OpClass(
                    Func(F("search"), F("postal_code"), F("mobile_phone"), function="debtor_lookup"),
                    name="gin_trgm_ops",
                ),
                name="debtor_lookup_trigrams",
            ),
        ]

    @property
    def name(self) -> str:
        """The person's full name, else the legal entity."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.legal_entity or ""

    def __str__(self) -> str:
        return self.name


class SuppressionReason(models.TextChoices):
    """The reason why an address must not be used. Its owner can take back only an opt-out."""

    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    WRONG_NUMBER = "wrong_number"


def opted_out(prefix: str) -> Q:
    """Return the condition of an opt-out that is in force: no opt-in has a later date, in whatever order both arrived."""
    out_at, in_at = f"{prefix}opted_out_at", f"{prefix}opted_in_at"
    return Q(**{f"{out_at}__isnull": False}) & (Q(**{f"{in_at}__isnull": True}) | Q(**{f"{in_at}__lte": F(out_at)}))


def _source() -> "models.CharField[str | None, str | None]":
    return models.CharField(max_length=255, null=True, blank=True)


class ContactPoint(UUIDModel):
    """An e-mail address or phone that a debtor has or had, with the reasons not to use it.

    A trigger adds one for each address of a debtor, in whatever way the debtor is written, and a change of the debtor deletes
    none. So the contact points are the history of the debtor's addresses; the current ones are in the debtor's row.
    A suppression is stored in each row with the address, so it applies to every debtor who has the address.
    """

    debtor = models.ForeignKey(
        Debtor, on_delete=models.SET_NULL, null=True, blank=True, related_name="contact_points", db_index=False
    )
    kind = models.CharField(max_length=5, choices=AddressKind.choices)
    value = models.CharField(max_length=254, help_text="The normal form of an e-mail address or a phone.")
    verified_at = models.DateTimeField(
        null=True, blank=True, help_text="Time at which the debtor proved to own the address."
    )
    opted_out_at = models.DateTimeField(null=True, blank=True, help_text="Opt-out of mail, or of text messages.")
    opted_out_source = _source()
    opted_in_at = models.DateTimeField(null=True, blank=True)
    opted_in_source = _source()
    calls_opted_out_at = models.DateTimeField(null=True, blank=True)
    calls_opted_out_source = _source()
    calls_opted_in_at = models.DateTimeField(null=True, blank=True)
    calls_opted_in_source = _source()
    bounces = models.PositiveIntegerField(default=0, db_default=0, help_text="Number of permanent delivery failures.")
    bounced_at = models.DateTimeField(null=True, blank=True, help_text="Time of the first permanent delivery failure.")
    bounced_source = _source()
    soft_bounces = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Number of temporary delivery failures since the last delivery."
    )
    complained_at = models.DateTimeField(null=True, blank=True)
    complained_source = _source()
    wrong_number_at = models.DateTimeField(
        null=True, blank=True, help_text="Time at which the phone proved to belong to another person."
    )
    wrong_number_source = _source()
    shared_at = models.DateTimeField(
        null=True, blank=True, help_text="Time at which it was decided that two debtors have this address."
    )
    is_another_persons = models.BooleanField(
        "another person's",
        default=False,
        db_default=False,
        help_text="The address is shared and belongs to the other debtor. Nothing is sent there about this debtor's debts.",
    )
    messages_suppressed = models.GeneratedField(
        expression=Case(
            When(
                opted_out("")
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
    calls_suppressed = models.GeneratedField(
        expression=Case(
            When(opted_out("calls_") | Q(wrong_number_at__isnull=False), then=Value(True)), default=Value(False)
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    machine_calls_suppressed = models.GeneratedField(
        expression=Case(
            When(opted_out("") | opted_out("calls_") | Q(wrong_number_at__isnull=False), then=Value(True)),
            default=Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
        help_text="STOP by text ends calls by machine too.",
    )

    class Meta:
        db_table = "contact_point"
        ordering = newest_first()
        permissions = [("record_consent", "Can record consent to contact")]
        constraints = [models.UniqueConstraint(fields=["debtor", "kind", "value"], name="contact_point_is_unique")]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="contact_point_newest"),
            models.Index(fields=["value", "kind"], name="contact_point_value"),
            models.Index(
                fields=["kind", "value"],
                name="contact_point_suppressed",
                condition=Q(messages_suppressed=True) | Q(calls_suppressed=True),
            ),
            models.Index(
                fields=["debtor", "kind", "value"],
                name="contact_point_another_persons",
                condition=Q(is_another_persons=True),
            ),
        ]

    @property
    def sharing(self) -> str:
        """How the address is shared, in words; empty if it is not."""
        if self.shared_at is None:
            return ""
        return "shared, another person's" if self.is_another_persons else "shared with another person"

    @property
    def suppressions(self) -> list[str]:
        """The labels of the suppressions in force."""
        known = (
            ("opted out", self.opted_out_at, self.opted_in_at),
            ("no calls", self.calls_opted_out_at, self.calls_opted_in_at),
            ("bounced", self.bounced_at, None),
            ("complained", self.complained_at, None),
            ("wrong number", self.wrong_number_at, None),
        )
        return [label for label, since, until in known if since and (until is None or until <= since)]

    def __str__(self) -> str:
        return self.value


class Consent(UUIDModel):
    """Agreement of one debtor to be contacted by one channel at one address, with its words. Nothing in it ever changes.

    Only the times at which it was confirmed do: the debtor used the address, or a database says that it still is theirs.
    """

    class Basis(models.TextChoices):
        """The way in which consent was given."""

        DEBTOR = "debtor", "given to the agency"
        CREDITOR = "creditor", "given to the creditor"
        PORTAL = "portal", "given in the portal"
        REPLY = "reply", "reply START"

    debtor = models.ForeignKey(Debtor, on_delete=models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    address = models.CharField(max_length=254, help_text="In the form of contact points.")
    basis = models.CharField(max_length=10, choices=Basis.choices)
    scope = models.CharField(
        max_length=255, blank=True, default="", help_text="What it is about; empty: every debt that we collect."
    )
    text = models.TextField("words", blank=True, default="", help_text="The words to which the debtor agreed.")
    source = models.CharField(max_length=255, blank=True, default="", help_text="Where it can be found.")
    given_at = models.DateTimeField()
    used_at = models.DateTimeField(
        null=True, blank=True, help_text="Time at which the debtor last wrote or signed in from the address."
    )
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="Time at which a database of reassigned numbers last told that it is theirs."
    )
    check_source = models.CharField(max_length=255, blank=True, default="")
    by = agent_field(editable=False)

    class Meta:
        db_table = "consent"
        ordering = newest_first()
        default_permissions = ("view",)
        indexes = [models.Index(fields=["debtor", "channel", "address"], name="consent_of_debtor")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} at {self.address}, {self.given_at:%Y-%m-%d}"
