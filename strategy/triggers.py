"""Triggers: on which day a strategy rule is due for a debt.

A trigger is one class and one line in ``TRIGGERS``. The API, the rule's form, matching and explanations take what they need from
there. A rule stores its trigger as ``{"type": "TimeTrigger", "days_since_placement": 7}``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ddc.common.errors import DomainError

#: A hundred years; PostgreSQL and Python both know the dates that are so far away.
MAX_DAYS = 36_500


@dataclass(frozen=True)
class WholeNumber:
    """A value that a rule gives to its trigger: an integer in the API, a number field in the form, an int in SQL."""

    label: str
    minimum: int
    maximum: int
    help_text: str = ""


class Trigger(ABC):
    """When a rule is due, in SQL and in words."""

    #: The name of this kind of trigger in the form.
    label: ClassVar[str]
    #: The values that a rule gives, by name. One name means the same in every trigger.
    fields: ClassVar[Mapping[str, WholeNumber]]
    #: SQL of the day on which ``rule`` is due for ``debt``, null for never. A value is a column of ``rule``, by its name.
    occurrence: ClassVar[str]

    @abstractmethod
    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""


class TimeTrigger(Trigger):
    """Due a number of days after the debt's placement."""

    label = "Time since placement"
    fields = {"days_since_placement": WholeNumber("Days since placement", 0, MAX_DAYS)}
    occurrence = "debt.placement_date + rule.days_since_placement"

    def explain(self, values: Mapping[str, Any]) -> str:
        """Describe when a rule with these values is due."""
        days = values["days_since_placement"]
        return f"{days} day{'' if days == 1 else 's'} after placement"


#: By the type that the API and the database have.
TRIGGERS: dict[str, Trigger] = {
    "TimeTrigger": TimeTrigger(),
}


class TriggerIncomplete(DomainError):
    """A rule has to give every value that its trigger takes."""

    status = 422
    code = "required"
    message = "This trigger needs a value here."


def all_fields() -> dict[str, WholeNumber]:
    """Return the fields of all triggers, by name."""
    return {name: field for trigger in TRIGGERS.values() for name, field in trigger.fields.items()}


def is_required(name: str) -> bool:
    """Return whether every trigger takes this field."""
    return all(name in trigger.fields for trigger in TRIGGERS.values())


def complete(given: Mapping[str, Any], *, current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the trigger to store; values that are not given stay as they are while the type does.

    :raises TriggerIncomplete: if a value is missing
    """
    kind = given.get("type") or current["type"]
    values = {**(current if current.get("type") == kind else {}), **given}
    for name in TRIGGERS[kind].fields:
        if values.get(name) is None:
            raise TriggerIncomplete(field=f"trigger.{name}")
    return {"type": kind, **{name: values[name] for name in TRIGGERS[kind].fields}}


def explain(trigger: Mapping[str, Any]) -> str:
    """Describe when a rule with this trigger is due."""
    return TRIGGERS[trigger["type"]].explain(trigger)


def occurrence_sql() -> str:
    """Return SQL of the day on which ``rule`` is due for ``debt``, whatever its trigger."""
    cases = " ".join(f"WHEN '{kind}' THEN {trigger.occurrence}" for kind, trigger in TRIGGERS.items())
    return f"CASE rule.trigger_type {cases} END"


def columns_sql() -> str:
    """Return SQL of the columns of ``rule`` that ``occurrence_sql`` reads."""
    values = (f"(trigger ->> '{name}')::int AS {name}" for name in all_fields())
    return ", ".join(["trigger ->> 'type' AS trigger_type", *values])
