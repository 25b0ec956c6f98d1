"""Write notes on a person, pin them and strike them out."""

from datetime import datetime

from agents.models import Agent, require_permission
from casework.models import Note
from ddc.common.errors import DomainError, Forbidden, Missing
from debtors.models import Debtor

#: How many notes of one person may be pinned: more would push the timeline off the screen.
MOST_PINNED = 5


class TextRequired(Missing):
    field = "text"
    message = "The note is empty. Enter its text."


class AlreadyStruckOut(DomainError):
    message = "This note was struck out before."


class TooManyPinned(DomainError):
    field = "pinned"
    message = f"{MOST_PINNED} notes are pinned. Unpin one first."


def write(debtor: Debtor, *, text: str, pinned: bool = False, by: Agent, now: datetime) -> Note:
    """Write a note on a person.

    :raises TextRequired: if the text is empty
    :raises TooManyPinned: if it is to be pinned and ``MOST_PINNED`` are
    :raises Forbidden: if the agent may not write notes
    """
    require_permission(by, "casework.add_note")
    if not text.strip():
        raise TextRequired
    if pinned:
        _check_pinned(debtor)
    return Note.objects.create(debtor=debtor, text=text.strip(), pinned=pinned, by=by, created_at=now)


def pin(note: Note, *, pinned: bool, by: Agent, now: datetime) -> None:
    """Show a note above the timeline, or no longer.

    :raises AlreadyStruckOut: if it is struck out
    :raises TooManyPinned: if ``MOST_PINNED`` are
    :raises Forbidden: if the agent may not change notes
    """
    require_permission(by, "casework.change_note")
    if pinned and not note.pinned:
        _check_pinned(note.debtor)
    if not Note.objects.filter(pk=note.pk, struck_at=None).update(pinned=pinned, updated_at=now):
        raise AlreadyStruckOut


def strike_out(note: Note, *, by: Agent, now: datetime) -> None:
    """Mark a note as wrong. It stays readable.

    :raises AlreadyStruckOut: if it was before
    :raises Forbidden: if it is another agent's and this one may not strike out others' notes
    """
    if not may_strike_out(note, by):
        raise Forbidden
    struck = Note.objects.filter(pk=note.pk, struck_at=None)
    if not struck.update(struck_at=now, struck_by=by, pinned=False, updated_at=now):
        raise AlreadyStruckOut


def may_strike_out(note: Note, agent: Agent) -> bool:
    """Return whether an agent may strike a note out: an own one, or with the right to all."""
    permission = "casework.change_note" if note.by_id == agent.pk else "casework.strike_note"
    return agent.has_perm(permission)


def _check_pinned(debtor: Debtor) -> None:
    # Two agents who pin at once may exceed the number by one, which does no harm.
    if Note.objects.filter(debtor=debtor, pinned=True).count() >= MOST_PINNED:
        raise TooManyPinned
