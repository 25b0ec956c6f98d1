"""What a trigger is: its values, and the SQL of the anchors that start its clock.

An anchor is the record that starts the clock of a rule for a debt: the placement, a due date, a payment, a hold. A rule is used
once for a debt and an anchor, however its number of days changes. A new record, such as another payment, starts the clock again.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

#: A hundred years; PostgreSQL and Python both know the dates that are so far away.
MAX_DAYS = 36_500


@dataclass(frozen=True)
class WholeNumber:
    """A value that a rule gives to its trigger: an integer in the API, a number field in the form, an int in SQL."""

    label: str
    minimum: int
    maximum: int
    help_text: str = ""
    sql_type: ClassVar[str] = "int"


@dataclass(frozen=True)
class Choice:
    """A value that a rule chooses for its trigger: a string in the API, a select in the form, a text in SQL."""

    label: str
    choices: tuple[tuple[str, str], ...]
    help_text: str = ""
    sql_type: ClassVar[str] = "text"


Field = WholeNumber | Choice


def in_days(count: int, what: str, *, before: str = "before", after: str = "after") -> str:
    """Describe a distance in days: "3 days before the due date"."""
    if count == 0:
        return f"on the day of {what}"
    return f"{abs(count)} day{'' if abs(count) == 1 else 's'} {before if count < 0 else after} {what}"


def local_day(instant: str) -> str:
    """Return SQL of the agency's date at a moment."""
    return f"({instant} AT TIME ZONE %(zone)s)::date"


class Trigger(ABC):
    """When a rule is due, in SQL and in words."""

    #: The name of this kind of trigger in the form.
    label: ClassVar[str]
    #: The values that a rule gives, by name. One name means the same in every trigger.
    fields: ClassVar[Mapping[str, Field]]
    #: SQL of the anchors of a row ``debt``: ``id`` (uuid), ``day`` (date) and ``recorded_at`` (when the record became known).
    #: A value is a column of ``rule``, by its name. PostgreSQL makes a join of it, so it has no LIMIT.
    anchors: ClassVar[str]
    #: SQL of the number of days from the anchor's day to the day on which the rule is due.
    days: ClassVar[str]
    #: The reason of a hold that belongs to the trigger, and so does not keep its messages back.
    own_hold: ClassVar[str | None] = None

    @abstractmethod
    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
