"""``manage.py decide_placement``: a decision at the terminal."""

import io
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from collection.models import ParkedPlacement
from debtors.models import Debtor
from tests import factories
from tests.collection.placements.files import ROW, load, text

pytestmark = pytest.mark.django_db
GUS = ROW | {"firstName": "Gus", "lastName": "Hale", "externalReference": "A-2"}


def command(*words: object) -> str:
    out = io.StringIO()
    call_command("decide_placement", *map(str, words), stdout=out)
    return out.getvalue().strip()


def test_a_row_is_decided_once_by_an_account():
    (parked,) = load(text(ROW, GUS)).parked
    by = factories.agent("Agent").username
    assert command(parked.id, "another", "--by", by) == "The row is accepted."
    assert Debtor.objects.filter(first_name="Gus", email=None).count() == 1
    with pytest.raises(CommandError, match="decided already"):
        command(parked.id, "same", "--by", by)
    decided_by = ParkedPlacement.objects.get().decided_by
    assert decided_by is not None
    assert decided_by.username == by


def test_what_does_not_exist_or_may_not_decide_is_refused():
    (parked,) = load(text(ROW, GUS)).parked
    with pytest.raises(CommandError, match="no account nobody"):
        command(parked.id, "same", "--by", "nobody")
    with pytest.raises(CommandError, match="no parked row"):
        command(uuid4(), "same", "--by", factories.agent("Agent").username)
    with pytest.raises(CommandError, match="Nothing was written"):
        command(parked.id, "same", "--by", factories.agent("Auditor").username)
    assert ParkedPlacement.objects.get().decision is None
