"""An assignment of all debts looks at those that were written since the last one, and comes to the same as a look at all."""

from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connection

from collection import segmentation_marks
from collection.models import Debt, DebtStatus, Segment, SegmentationMark
from collection.segments import assignment, records
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = date(2026, 6, 30)


def everywhere_as_asked_of_each(today: date) -> bool:
    """Whether each open debt stands where a look at all of them would put it."""
    with connection.cursor() as cursor:
        misplaced = f"{assignment._MAY_MOVE} AND segment_id IS DISTINCT FROM {assignment.BEST_FIT}"
        cursor.execute(f"SELECT count(*) FROM debt WHERE {misplaced}", {"today": today})
        return bool(cursor.fetchone()[0] == 0)


CHANGES = (
    "balance", "score", "placement", "closed", "open", "elsewhere", "new debt", "band", "days", "new segment", "inactive", "day",
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_looking_at_what_was_written_since_comes_to_the_same_as_looking_at_all(seed: int):
    dice, today = Random(seed), TODAY
    made = [records.create(name=f"s{n}", currency_code="GBP", min_balance=Decimal(n * 500)) for n in range(3)]
    owner = factories.debtor()
    for _ in range(4):
        factories.debt(debtor=owner, currency_code="GBP", balance=dice.randint(1, 2000), p2p_score=Decimal("0.5"))
    assignment.assign_all(today=today)
    for change in dice.choices(CHANGES, k=40):
        debt = Debt.objects.filter(pk=dice.choice(list(Debt.objects.values_list("pk", flat=True))))
        segment = Segment.objects.filter(pk=dice.choice(made).pk)
        match change:
            case "balance":
                debt.update(current_balance=dice.randint(1, 2000))
            case "score":
                debt.update(p2p_score=Decimal(dice.randint(0, 9)) / 10)
            case "placement":
                debt.update(placement_date=today - timedelta(days=dice.randint(0, 60)))
            case "closed":
                debt.update(current_status=DebtStatus.SETTLED)
            case "open":
                debt.update(current_status=DebtStatus.ACTIVE)
            case "elsewhere":
                debt.update(segment=dice.choice(made))
            case "new debt":
                factories.debt(debtor=owner, currency_code="GBP", balance=dice.randint(1, 2000))
            case "band":
                segment.update(currency_code="GBP", min_balance=dice.randint(0, 1500))
            case "days":
                segment.update(max_days_since_placement=dice.randint(1, 60))
            case "new segment":
                made.append(
                    records.create(name=f"s{len(made)}", priority=dice.randint(1, 200), min_p2p_score=Decimal("0.3"))
                )
            case "inactive":
                segment.update(is_active=False)
            case "day":
                today += timedelta(days=dice.randint(1, 40))
        assignment.assign_all(today=today)
        assert everywhere_as_asked_of_each(today), change


def test_a_debt_that_nobody_has_written_since_is_not_looked_at():
    segment = records.create(name="all")
    debts = [factories.debt() for _ in range(2)]
    Debt.objects.update(segment=None)
    assert assignment.assign_all(today=TODAY) == 2
    looked_at = f"SELECT count(*) FROM debt WHERE {segmentation_marks.WRITTEN_SINCE}"
    with connection.cursor() as cursor:
        last = segmentation_marks.Assignment(rule=assignment._ASSIGN_MANY, today=TODAY).last()
        assert last is not None
        cursor.execute(looked_at, asdict(last))
        assert cursor.fetchone() == (0,)
        Debt.objects.filter(pk=debts[0].pk).update(current_balance=1)
        cursor.execute(looked_at, asdict(last))
        assert cursor.fetchone() == (1,)
    records.amend(segment, name="everything")
    assert segmentation_marks.Assignment(rule=assignment._ASSIGN_MANY, today=TODAY).last() is None


def test_a_debt_grows_out_of_a_segment_with_bounds_in_days_though_nobody_writes_it():
    records.create(name="fresh", max_days_since_placement=10)
    debt = factories.debt(placement_date=TODAY - timedelta(days=9))
    assignment.assign_all(today=TODAY)
    assert assignment.assign_all(today=TODAY + timedelta(days=1)) == 1
    debt.refresh_from_db()
    assert debt.segment is None


def test_a_mark_of_another_cluster_says_nothing_here():
    records.create(name="all")
    factories.debt()
    assignment.assign_all(today=TODAY)
    Debt.objects.update(segment=None)
    SegmentationMark.objects.update(basis="restored from elsewhere", seen_before="999999999")
    assert assignment.assign_all(today=TODAY) == 1
