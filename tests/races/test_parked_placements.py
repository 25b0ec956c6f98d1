"""Two people decide the same parked row of a placement file at once."""

import io
import threading

import pytest

from collection.models import Debt, ParkedPlacement
from collection.placements import decisions, loading
from debtors.models import Debtor
from tests import factories
from tests.races.threads import at_once
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db(transaction=True)
FILE = (
    "email,firstName,lastName,originalCreditor,originalBalance\n"
    "shared@example.com,Ann,Doe,Acme,100\n"
    "shared@example.com,Gus,Hale,Acme,50\n"
)


def race(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let the second decider look at the row before the first one has committed, and go on after that."""
    loading.load(io.BytesIO(FILE.encode()), by=None, today=TODAY, now=clock())
    row, deciders = ParkedPlacement.objects.get(), [factories.agent("Agent") for _ in range(2)]
    begun, looked, done = threading.Event(), threading.Event(), threading.Event()
    place = decisions.place

    def place_in_turn(*args: object, **options: object) -> ParkedPlacement:
        if begun.is_set():
            looked.set()
            done.wait(10)
        else:
            begun.set()
            looked.wait(2)
        return place(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(decisions, "place", place_in_turn)

    def first() -> ParkedPlacement:
        try:
            return decisions.another_person(row, by=deciders[0], now=clock())
        finally:
            done.set()

    def second() -> ParkedPlacement:
        begun.wait(10)
        return decisions.same_person(row, by=deciders[1], now=clock())

    return at_once(first, second)


def test_of_two_deciders_at_once_one_decides(monkeypatch: pytest.MonkeyPatch):
    results = race(monkeypatch)
    assert [type(result) for result in results].count(decisions.AlreadyDecided) == 1
    assert Debt.objects.filter(original_balance=50).count() == 1
    assert ParkedPlacement.objects.get().outcome == "accepted"


@pytest.mark.deep
def test_without_the_lock_two_deciders_at_once_both_decide(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decisions, "lock", lambda row: ParkedPlacement.objects.select_related("debtor").get(pk=row.pk))
    monkeypatch.setattr(ParkedPlacement, "save", lambda self, **_: None)
    results = race(monkeypatch)
    assert not any(isinstance(result, Exception) for result in results)
    assert Debt.objects.filter(original_balance=50).count() == 2
    assert Debtor.objects.count() == 2
