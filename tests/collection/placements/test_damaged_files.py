"""Files that a spreadsheet damaged: each row has one outcome, and the balances are the truth's."""

import pytest
from hypothesis import given, settings

from tests.collection.placements.damage import Damage, Truth, damages, hold, truths

pytestmark = pytest.mark.django_db


@settings(max_examples=20, deadline=None)
@given(truths, damages)
def test_each_row_has_one_outcome_and_the_balances_are_the_oracles(rows: list[Truth], damage: Damage):
    hold(rows, damage)


@pytest.mark.deep
@settings(max_examples=1_000, deadline=None)
@given(truths, damages)
def test_many_damaged_files(rows: list[Truth], damage: Damage):
    hold(rows, damage)
