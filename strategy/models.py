"""Strategy rules, the runs that apply them, and the step of each message that they queued."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from agents.models import agent_field
from collection.models import Debt, Segment
from communications.models import CommunicationLog, CommunicationTemplate
from ddc.common.models import UUIDModel, newest_first
from ddc.common.observing.tracing import request_id_field
from debtors.channels import Channel


class AfterPause(models.TextChoices):
    """When a rule is due whose day fell into a hold, a deferral, a dispute or an arrangement of the debt."""

    CATCH_UP = "catch_up", "on the day after the pause; of several rules only the last one"
    SHIFT = "shift", "later: the clock stands still during the pause"
    SKIP = "skip", "not at all"


class RunningDebts(models.TextChoices):
    """Which version of a rule counts for a debt whose clock had started before the version was published."""

    MOVE = "move", "move to the new version"
    STAY = "stay", "stay with the version under which their clock started"


class StrategyRule(UUIDModel):
    """Send a template to the debts of a segment when the trigger is due.

    The row is the newest version. A database trigger copies each state of it into ``StrategyRuleVersion``, which never changes.
    """

    name = models.CharField(max_length=100)
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="strategy_rules")
    template = models.ForeignKey(CommunicationTemplate, on_delete=models.PROTECT, related_name="strategy_rules")
    channel = models.CharField(max_length=12, choices=Channel.choices)
    trigger = models.JSONField(help_text="Its type and values; see strategy/triggers.")
    conditions = models.JSONField(
        default=dict, blank=True, db_default={}, help_text="All have to be met; see docs/strategy.md."
    )
    after_pause = models.CharField(
        max_length=10,
        choices=AfterPause.choices,
        default=AfterPause.CATCH_UP,
        db_default=AfterPause.CATCH_UP,
        help_text="If the day fell into a hold, deferral, dispute or arrangement.",
    )
    max_lateness_days = models.PositiveIntegerField(
        "maximum lateness in days", default=3, help_text="Until then, a message that was missed is still queued."
    )
    priority = models.IntegerField(default=100, help_text="1 is first.")
    is_active = models.BooleanField("active", default=True)
    running_debts = models.CharField(
        max_length=4,
        choices=RunningDebts.choices,
        default=RunningDebts.MOVE,
        db_default=RunningDebts.MOVE,
        help_text="Debts whose clock has started: they move to this version, or stay with theirs.",
    )
    published_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), editable=False, help_text="When this version was published."
    )

    class Meta:
        db_table = "strategy_rule"
        ordering = newest_first()
        constraints = [models.UniqueConstraint(fields=["name"], name="strategy_rule_name_is_unique")]

    def __str__(self) -> str:
        return self.name


class StrategyRuleVersion(models.Model):
    """A published version of a rule. It is never changed, and tells what the rule was when it queued a message."""

    rule = models.ForeignKey(StrategyRule, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(help_text="1 is the first.")
    content = models.JSONField(help_text="The columns of the rule.")
    running_debts = models.CharField(max_length=4, choices=RunningDebts.choices)
    published_at = models.DateTimeField()

    class Meta:
        db_table = "strategy_rule_version"
        ordering = ["rule", "-number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="strategy_rule_version_is_unique")]

    def __str__(self) -> str:
        return f"version {self.number}"


class StrategyRun(UUIDModel):
    """The application of all rules for one day, dry or real, and its report."""

    class Status(models.TextChoices):
        PLANNED = "planned"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLANNED)
    dry_run = models.BooleanField(default=False)
    is_daily = models.BooleanField(
        "scheduled", default=False, db_default=False, help_text="The daily run, not one that an agent started."
    )
    date = models.DateField()
    until = models.DateField(
        null=True, blank=True, help_text="The last day of a dry run that simulates several days; empty: one day."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_by = agent_field(help_text="Empty: the schedule or the command line.")
    rules = models.JSONField(default=list, help_text="Per rule: matched, queued and left out, with reasons.")
    contact = models.JSONField(
        null=True,
        blank=True,
        help_text="How much of what was queued may go, and when; empty until a worker has calculated it.",
    )
    days = models.JSONField(
        null=True, blank=True, editable=False, help_text="Of a simulation: per day, rule, channel and country."
    )
    failure_reason = models.CharField(max_length=500, null=True, blank=True)
    request_id = request_id_field()

    class Meta:
        db_table = "strategy_run"
        ordering = newest_first()
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(status__in=["planned", "running"]), name="one_strategy_run_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["date"],
                condition=Q(is_daily=True) & ~Q(status__in=["failed", "cancelled"]),
                name="one_daily_strategy_run_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.status}"


class StrategySlice(models.Model):
    """A range of debtor ids that a run processes in one transaction."""

    run = models.ForeignKey(StrategyRun, on_delete=models.CASCADE, related_name="slices", db_index=False)
    number = models.PositiveIntegerField()
    first_debtor = models.UUIDField(null=True)
    next_debtor = models.UUIDField(null=True, help_text="The first debtor of the next slice.")
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "strategy_slice"
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="strategy_slice_number_is_unique")]

    def __str__(self) -> str:
        return f"slice {self.number}"


class Reason(StrEnum):
    """Why a matched debt got no message, in the order of the checks."""

    RULE_INACTIVE = "rule_inactive"
    ALREADY_QUEUED = "already_queued"
    #: A database that was lost may have queued it (``manage.py after_restore``).
    BEFORE_RESTORE = "before_restore"
    TEMPLATE_INACTIVE = "template_inactive"
    TEMPLATE_CHANGED = "template_changed"
    CLOSED = "closed"
    DISPUTED = "disputed"
    DEFERRED = "deferred"
    HELD = "held"
    NOTHING_OWED = "nothing_owed"
    CONDITIONS_NOT_MET = "conditions_not_met"
    #: A rule that was due later in the same pause takes its place.
    SUPERSEDED = "superseded"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    TOO_LATE = "too_late"


class StrategyStep(models.Model):
    """The record that a rule queued a message for a debt.

    Unique by rule, debt and anchor, so that a rule sends its text once for the record that started its clock: however often a day
    is run, and whatever is changed about the rule's number of days. Database triggers check its references, once per statement
    (docs/adr/0006).
    """

    message = models.OneToOneField(
        CommunicationLog, on_delete=models.PROTECT, primary_key=True, related_name="strategy_step", db_constraint=False
    )
    rule = models.ForeignKey(
        StrategyRule, on_delete=models.PROTECT, related_name="steps", db_index=False, db_constraint=False
    )
    # The message is about the same debt and protects it.
    debt = models.ForeignKey(
        Debt, on_delete=models.DO_NOTHING, related_name="strategy_steps", db_index=False, db_constraint=False
    )
    version = models.ForeignKey(
        StrategyRuleVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False,
        help_text="The version of the rule that queued the message.",
    )  # fmt: skip
    anchor = models.UUIDField(help_text="The record that started the clock, by the rule's trigger (strategy/triggers).")
    occurrence = models.DateField(help_text="The day on which the rule was due.")
    run = models.ForeignKey(StrategyRun, on_delete=models.PROTECT, related_name="steps", db_constraint=False)

    class Meta:
        db_table = "strategy_step"
        constraints = [
            models.UniqueConstraint(fields=["rule", "debt", "anchor"], name="strategy_step_queues_once"),
        ]


class StrategyUnreached(models.Model):
    """An open debt that no rule will reach (strategy/unreached.py)."""

    REASONS = (
        ("no_segment", "it fits no segment"),
        ("no_rule", "its segment has no active rule"),
        ("nothing_follows", "no rule of its segment is still to come"),
        ("held", "an open-ended hold stops the strategy"),
        ("disputed", "it is disputed, and the rules skip pauses"),
        ("deferred", "it is deferred, and the rules skip pauses"),
        ("no_address", "there is no address for the channel"),
        ("suppressed", "the address is suppressed"),
        ("conditions_not_met", "it does not meet the conditions of the last rule"),
        ("template_inactive", "the template of the last rule is not active"),
        ("template_changed", "the template of the last rule is for another channel"),
        ("before_restore", "its last message may have gone out before the database was restored"),
        ("superseded", "another rule of the same pause took the place of the last one"),
    )

    debt = models.OneToOneField(Debt, on_delete=models.CASCADE, primary_key=True, related_name="strategy_unreached")
    reason = models.CharField(max_length=20, choices=REASONS)
    since = models.DateTimeField()

    class Meta:
        db_table = "strategy_unreached"
        ordering = ["-since", "-debt"]
        verbose_name = "debt that no rule will reach"
        verbose_name_plural = "debts that no rule will reach"
        indexes = [models.Index(fields=["-since", "-debt"], name="strategy_unreached_newest")]

    def __str__(self) -> str:
        return str(self.debt)
