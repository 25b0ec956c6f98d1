"""Minors: denied by the date of birth, held every night, released by a supervisor."""

from datetime import UTC, date, datetime

import pytest

from collection.holds import amendments, expiry, holds, minors
from collection.models import Hold
from communications.outbox import may_go
from contact.engine.decision import ReasonCode
from ddc.common.errors import Forbidden
from debtors import ages
from tests import factories
from tests.communications.messages import queue

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
#: Eighteen on the 1st of March 2026.
BORN = date(2008, 3, 1)


@pytest.mark.parametrize(
    ("born", "of_age"), [(BORN, date(2026, 3, 1)), (date(2008, 2, 29), date(2026, 3, 1)), (date(2006, 2, 28), date(2024, 2, 28))]
)  # fmt: skip
def test_a_person_is_of_age_from_the_eighteenth_birthday_on(born, of_age):
    assert ages.of_age_on(born) == of_age
    assert not ages.is_minor(born, of_age)
    assert ages.is_minor(born, of_age.fromordinal(of_age.toordinal() - 1))


def codes(debtor, now=NOON):
    (asked,) = may_go.gate_inputs([queue(debt=factories.debt(debtor=debtor))], now=now)
    return {reason.code for reason in asked.decide(now).reasons}


@pytest.mark.django_db
class TestMinors:
    def test_the_gate_denies_by_the_date_of_birth_before_and_after_the_hold_is_there(self):
        debtor = factories.debtor(dob=BORN)
        assert codes(debtor) == {ReasonCode.MINOR}
        assert minors.hold_missing(now=NOON) == 1
        assert codes(debtor) == {ReasonCode.MINOR}
        assert codes(factories.debtor(dob=date(2008, 1, 14))) == set()
        assert codes(debtor, NOON.replace(month=3, day=1)) == set()

    def test_each_minor_gets_one_hold_until_the_day_of_majority(self):
        debtor = factories.debtor(dob=BORN)
        factories.debtor(dob=date(1990, 1, 1))
        factories.debtor(dob=None)
        assert [minors.hold_missing(now=NOON) for _ in range(2)] == [1, 0]
        hold = Hold.objects.get()
        assert (hold.debtor, hold.reason, hold.ends_on, hold.by) == (debtor, "minor", date(2026, 3, 1), None)
        assert [event.kind for event in hold.events.all()] == ["opened"]
        expiry.expire(now=NOON.replace(month=3, day=2))
        assert minors.hold_missing(now=NOON.replace(month=3, day=2)) == 0

    def test_only_a_supervisor_releases_a_minor(self):
        debtor = factories.debtor(dob=BORN)
        minors.hold_missing(now=NOON)
        hold = Hold.objects.get()
        with pytest.raises(Forbidden):
            amendments.end(hold, why="The mother writes for her.", by=factories.agent("Agent"), now=NOON)
        assert codes(debtor) == {ReasonCode.MINOR}

        amendments.end(hold, why="The mother writes for her.", by=factories.agent("Supervisor"), now=NOON)
        assert codes(debtor) == set()
        assert minors.hold_missing(now=NOON) == 0

    def test_the_dead_have_a_code_of_their_own(self):
        debtor = factories.debtor()
        holds.open_hold(reason="deceased", debtor=debtor, source="Registry", by=None, now=NOON)
        assert codes(debtor) == {ReasonCode.DECEASED}


@pytest.mark.django_db
class TestNations:
    @pytest.mark.parametrize(
        ("reason", "region", "is_taken"),
        [
            ("moratorium", "England", True), ("moratorium", "Cymru", True), ("moratorium", "Scotland", False),
            ("moratorium", None, True), ("moratorium", "Somewhere", True),
            ("scottish_moratorium", "Scotland", True), ("scottish_moratorium", "Wales", False),
            ("scottish_moratorium", None, True), ("northern_irish_moratorium", "Northern Ireland", True),
            ("northern_irish_moratorium", "England", False),
        ],
    )  # fmt: skip
    def test_a_moratorium_is_for_residents_of_its_nation(self, reason, region, is_taken):
        debtor = factories.debtor(region_state=region)
        opened = {"reason": reason, "debtor": debtor, "source": "Notice", "by": None, "now": NOON}
        if is_taken:
            assert holds.open_hold(**opened).reason == reason
        else:
            with pytest.raises(holds.AddressElsewhere, match="requires an address in"):
                holds.open_hold(**opened)
            assert not Hold.objects.exists()
