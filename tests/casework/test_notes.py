"""Notes: written once, pinned, struck out, found by their words; the database keeps their text."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent
from casework import notes
from casework.models import Note
from ddc.common.errors import Forbidden
from debtors import debtors
from tests import factories

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def write(text: str = "Works shifts.", **more: object) -> Note:
    values = {"by": factories.agent("Agent"), "now": NOW, **more}
    return notes.write(values.pop("debtor", None) or factories.debtor(), text=text, **values)


def test_a_note_keeps_who_wrote_it_and_when():
    agent = factories.agent("Agent")
    note = write("  Works shifts.\nShort calls. ", by=agent)
    note.refresh_from_db()
    assert (note.text, note.by, note.created_at, note.pinned) == ("Works shifts.\nShort calls.", agent, NOW, False)


def test_an_empty_note_is_refused():
    with pytest.raises(notes.TextRequired):
        write(" \n ")
    assert not Note.objects.exists()


def test_an_auditor_writes_none():
    with pytest.raises(Forbidden):
        write(by=factories.agent("Auditor"))
    assert not Note.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM note",
        "UPDATE note SET text = 'Other'",
        "UPDATE note SET created_at = created_at - interval '1 day'",
        "UPDATE note SET by_id = NULL",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_note(change: str):
    write()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert Note.objects.get().text == "Works shifts."


def test_a_struck_out_note_stays_readable_and_struck_out():
    author = factories.agent("Agent")
    note = write(by=author, pinned=True)
    notes.strike_out(note, by=author, now=NOW)
    note.refresh_from_db()
    assert (note.text, note.struck_by, note.struck_at, note.pinned) == ("Works shifts.", author, NOW, False)
    with pytest.raises(notes.AlreadyStruckOut):
        notes.strike_out(note, by=author, now=NOW)
    with pytest.raises(notes.AlreadyStruckOut):
        notes.pin(note, pinned=True, by=author, now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Note.objects.update(struck_at=None, struck_by=None)


@pytest.mark.parametrize(("role", "may"), [("Agent", False), ("Supervisor", True), ("Auditor", False)])
def test_only_a_supervisor_strikes_out_the_notes_of_others(role: str, may: bool):
    note = write()
    if may:
        notes.strike_out(note, by=factories.agent(role), now=NOW)
    else:
        with pytest.raises(Forbidden):
            notes.strike_out(note, by=factories.agent(role), now=NOW)
    assert bool(Note.objects.get().struck_at) == may


def test_five_notes_of_a_person_are_pinned_at_most():
    debtor, agent = factories.debtor(), factories.agent("Agent")
    written = [write(debtor=debtor, by=agent, pinned=True) for _ in range(5)]
    with pytest.raises(notes.TooManyPinned):
        write(debtor=debtor, by=agent, pinned=True)
    assert Note.objects.count() == 5
    notes.pin(written[0], pinned=False, by=agent, now=NOW)
    write(debtor=debtor, by=agent, pinned=True)
    write(by=agent, pinned=True)  # of another person


def test_notes_are_found_by_part_of_a_word_without_case_and_accents():
    note = write("Zahlt über die Schwägerin, 50 % sofort")
    write("Another one")
    for words in ("SCHWAGERIN", "über", "50 %", "zahlt"):
        assert list(Note.objects.matching(words)) == [note], words
    assert not Note.objects.matching("5_ %").exists()


def test_the_search_uses_its_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "note_search_trigrams" in Note.objects.matching("schwager").order_by().explain()


def test_a_person_with_notes_is_not_deleted():
    note = write()
    with pytest.raises(debtors.HasDebts):
        debtors.delete(note.debtor)
    assert Note.objects.exists()


def test_the_change_log_has_notes_and_what_became_of_them():
    author = factories.agent("Agent")
    note = write(by=author)
    notes.pin(note, pinned=True, by=author, now=NOW)
    notes.strike_out(note, by=author, now=NOW)
    events = list(AuditEvent.objects.filter(table_name="note").order_by("id"))
    assert [event.operation for event in events] == ["insert", "update", "update"]
    assert {event.person_id for event in events} == {note.debtor_id}
    assert events[1].after == {"pinned": True}
    assert events[2].after["struck_by_id"] == str(author.pk)
