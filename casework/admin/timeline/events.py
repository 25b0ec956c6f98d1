"""The events of a person's timeline, and the place in it from which a page goes on."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from django.db.models import Q
from django.urls import reverse

from agents.models import Agent
from collection.models import Debt
from debtors.models import Debtor


class Kind(StrEnum):
    """The kinds of events, by which a timeline is filtered."""

    MESSAGES = "messages"
    CALLS = "calls"
    MONEY = "money"
    REQUESTS = "requests"
    NOTES = "notes"
    CHANGES = "changes"

    @property
    def label(self) -> str:
        return self.capitalize()


@dataclass(frozen=True)
class Action:
    """A link to the page on which an event is worked on."""

    label: str
    url: str


@dataclass(frozen=True)
class Why:
    """Why a message went or not: what caused it, and the gate's decision."""

    lines: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Event:
    """One line of the timeline. ``quote`` is in the words of its author; ``tone`` is a class of the style sheet."""

    at: datetime
    key: uuid.UUID
    icon: str
    title: str
    url: str = ""
    detail: str = ""
    quote: str = ""
    tone: str = ""
    is_struck: bool = False
    why: Why | None = None
    actions: tuple[Action, ...] = field(default=())


@dataclass(frozen=True)
class Cursor:
    """The last event of a page: the next page has those before it. Written ``microseconds.id``."""

    at: datetime
    key: uuid.UUID

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Read a cursor; a damaged one begins at the top."""
        microseconds, _, key = text.partition(".")
        try:
            return cls(datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC), uuid.UUID(key))
        except (ValueError, OverflowError, OSError):
            return None

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}.{self.key}"

    def before(self, time_field: str) -> Q:
        """Return the condition of the rows before it, in the order of the time and then of the id."""
        same = Q(**{time_field: self.at, "pk__lt": self.key})
        return Q(**{f"{time_field}__lte": self.at}) & (Q(**{f"{time_field}__lt": self.at}) | same)


@dataclass(frozen=True)
class Request:
    """What a source is asked for: the newest events of a person, or of one debt, before a cursor."""

    debtor: Debtor
    debt: Debt | None
    kind: Kind | None
    before: Cursor | None
    limit: int
    agent: Agent

    @property
    def sees_changes(self) -> bool:
        """Whether changes are part of it: they are of a person, for those who may see the change log."""
        return self.debt is None and self.agent.has_perm("audit.view_auditevent")

    @property
    def page(self) -> str:
        """The page that shows the timeline."""
        row = self.debt or self.debtor
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

    def earlier(self, time_field: str) -> Q:
        return self.before.before(time_field) if self.before else Q()

    def wants(self, *kinds: Kind) -> bool:
        return self.kind is None or self.kind in kinds
