"""Notes, follow-ups and claims on work of agents; requests and documents of debtors."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Value

from agents.models import Agent, agent_field
from collection.models import Debt, Dispute, Hold
from ddc.common.days import AgencyToday
from ddc.common.models import UUIDModel, UUIDv7, newest_first, uuid7
from ddc.common.text_search import pattern_of, search_text
from debtors.models import Debtor


class NoteQuerySet(models.QuerySet["Note"]):
    def matching(self, words: str) -> "NoteQuerySet":
        """Return the notes with these words in their text; case and accents are ignored."""
        pattern = search_text(Value(pattern_of(words)))
        return self.alias(_text=search_text(F("text")), _pattern=pattern).filter(_text__like=F("_pattern"))


class Note(UUIDModel):
    """An agent's note on a person. A trigger keeps its text; a wrong note is struck out and stays readable."""

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="notes", db_index=False)
    text = models.TextField(max_length=2000)
    by = agent_field(editable=False)
    pinned = models.BooleanField(default=False, db_default=False, help_text="Shown above the timeline of the person.")
    struck_at = models.DateTimeField("struck out", null=True, blank=True, editable=False)
    struck_by = agent_field(editable=False)

    objects = NoteQuerySet.as_manager()

    class Meta:
        db_table = "note"
        ordering = newest_first()
        permissions = [("strike_note", "Can strike out notes of other agents")]
        constraints = [
            models.CheckConstraint(
                name="note_struck_out_is_complete_and_not_pinned",
                condition=Q(struck_at__isnull=True, struck_by__isnull=True)
                | Q(struck_at__isnull=False, struck_by__isnull=False, pinned=False),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="note_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="note_debtor_newest"),
            models.Index(fields=["debtor", "-created_at"], name="note_pinned", condition=Q(pinned=True)),
            GinIndex(OpClass(search_text(F("text")), name="gin_trgm_ops"), name="note_search_trigrams"),
        ]

    def __str__(self) -> str:
        return f"Note on {self.debtor}"


class FollowUp(UUIDModel):
    """Something to do for a person on a day. Once closed it never changes; a moved one is continued by another."""

    class Outcome(models.TextChoices):
        """How a follow-up was closed; an open one has none."""

        DONE = "done"
        MOVED = "moved", "moved to another day"
        DROPPED = "dropped"

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="follow_ups", db_index=False)
    debt = models.ForeignKey(
        Debt, on_delete=models.PROTECT, null=True, blank=True, related_name="follow_ups",
        help_text="The debt that it is about; empty: none in particular.",
    )  # fmt: skip
    due_on = models.DateField("day", help_text="From this day on it is in the worklist.")
    text = models.CharField("to do", max_length=500)
    owner = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="Who is to do it; empty: any agent.",
    )  # fmt: skip
    by = agent_field(editable=False, help_text="Who set it; empty: the system.")
    outcome = models.CharField(max_length=8, choices=Outcome.choices, null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_by = agent_field(editable=False)
    closing_note = models.CharField(max_length=500, blank=True, default="", db_default="", editable=False)
    continues = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="continued_by", editable=False,
        help_text="The follow-up that was moved to this one's day.",
    )  # fmt: skip

    class Meta:
        db_table = "follow_up"
        ordering = newest_first()
        verbose_name = "follow-up"
        constraints = [
            models.CheckConstraint(
                name="follow_up_closing_is_complete",
                condition=Q(outcome__isnull=True, closed_at__isnull=True, closed_by__isnull=True)
                | Q(outcome__isnull=False, closed_at__isnull=False, closed_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["debtor", "-created_at", "-id"], name="follow_up_debtor_newest"),
            models.Index(fields=["due_on", "id"], name="follow_up_open", condition=Q(outcome__isnull=True)),
            models.Index(fields=["due_on"], name="follow_up_day"),
            models.Index(fields=["owner", "due_on", "id"], name="follow_up_open_of", condition=Q(outcome__isnull=True)),
            models.Index(fields=["debtor", "due_on", "id"], name="follow_up_todo", condition=Q(outcome__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.text


#: Open follow-ups that are due, by the agency's day.
DUE = Q(outcome__isnull=True, due_on__lte=AgencyToday())


class SupportRequest(UUIDModel):
    """A hardship or a complaint that a debtor reports. An agent answers it once."""

    class Kind(models.TextChoices):
        HARDSHIP = "hardship", "cannot pay"
        COMPLAINT = "complaint"

    class Status(models.TextChoices):
        SENT = "sent"
        IN_REVIEW = "in_review", "being looked at"
        ANSWERED = "answered"

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="support_requests", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.CharField(max_length=2000, help_text="In the debtor's words.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENT, db_default=Status.SENT)
    hold = models.OneToOneField(
        Hold, on_delete=models.PROTECT, null=True, blank=True, help_text="The hold that it opened, of a hardship."
    )
    begun_at = models.DateTimeField("being looked at since", null=True, blank=True)
    begun_by = agent_field()
    answer = models.CharField(max_length=2000, null=True, blank=True, help_text="The debtor sees it.")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = agent_field()

    class Meta:
        db_table = "support_request"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(
                fields=["debtor"],
                condition=Q(kind="hardship") & ~Q(status="answered"),
                name="support_request_one_open_hardship",
            ),
            models.CheckConstraint(
                name="support_request_answer_is_complete",
                condition=Q(
                    status="answered", answer__isnull=False, answered_at__isnull=False, answered_by__isnull=False
                )
                | (~Q(status="answered") & Q(answer__isnull=True, answered_at__isnull=True, answered_by__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="support_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="support_debtor_newest"),
            models.Index(fields=["created_at", "id"], name="support_open", condition=~Q(status="answered")),
        ]

    @property
    def is_open(self) -> bool:
        return self.status != self.Status.ANSWERED

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()}, {self.debtor}"


class DocumentManager(models.Manager["Document"]):
    """Read documents without their content, which may have megabytes."""

    def get_queryset(self) -> "models.QuerySet[Document]":
        return super().get_queryset().defer("content")


class Document(UUIDModel):
    """A file that a debtor handed in, such as a receipt. A trigger keeps it as it is."""

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="documents", db_index=False)
    dispute = models.ForeignKey(
        Dispute, on_delete=models.PROTECT, null=True, blank=True, related_name="documents",
        help_text="The dispute that it is evidence for; empty: none.",
    )  # fmt: skip
    name = models.CharField("file", max_length=150)
    content_type = models.CharField("type", max_length=30, help_text="As found in the content.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    content = models.BinaryField(editable=False)

    objects = DocumentManager()

    class Meta:
        db_table = "document"
        ordering = newest_first()
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="document_newest"),
            models.Index(fields=["debtor", "-created_at", "-id"], name="document_debtor_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class IdentityCheck(UUIDModel):
    """What an agent asked a caller to learn whether it is the person. Each answer is right, wrong or, if not asked, empty.

    The answers themselves are not kept.
    """

    debtor = models.ForeignKey(Debtor, on_delete=models.PROTECT, related_name="identity_checks", db_index=False)
    birth_date = models.BooleanField(null=True, editable=False)
    postcode = models.BooleanField(null=True, editable=False)
    reference = models.BooleanField("last digits of a reference", null=True, editable=False)
    by = agent_field(editable=False)

    class Meta:
        db_table = "identity_check"
        ordering = newest_first()
        constraints = [
            models.CheckConstraint(
                name="identity_check_has_a_question",
                condition=~Q(birth_date__isnull=True, postcode__isnull=True, reference__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["debtor", "-created_at", "-id"], name="identity_check_debtor_newest")]

    def __str__(self) -> str:
        return f"Identity check of {self.debtor}"


class WorkClaim(models.Model):
    """An agent works on an item, such as a person or a request. It ends 10 minutes after the last request for the item."""

    id = models.UUIDField(primary_key=True, default=uuid7, db_default=UUIDv7(), editable=False)
    item_type = models.CharField("kind of item", max_length=60, help_text="The model's label.")
    item_id = models.UUIDField("item")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField()
    seen_at = models.DateTimeField("last request", db_index=True)

    class Meta:
        db_table = "work_claim"
        ordering = ["-seen_at", "-id"]
        verbose_name = "claim on work"
        verbose_name_plural = "claims on work"
        constraints = [models.UniqueConstraint(fields=["item_type", "item_id"], name="work_claim_is_one_per_item")]

    def __str__(self) -> str:
        return f"{self.agent}, {self.item_type}"


class DayFigures(models.Model):
    """The figures of one of the agency's days, as ``casework.figures`` measured it; of today, also a week before."""

    day = models.DateField(primary_key=True)
    measured_at = models.DateTimeField()
    figures = models.JSONField()
    week_ago = models.JSONField(null=True, help_text="The same weekday last week, up to the same time.")

    class Meta:
        db_table = "day_figures"
        ordering = ["-day"]
        verbose_name = verbose_name_plural = "figures of a day"

    def __str__(self) -> str:
        return f"{self.day}"
