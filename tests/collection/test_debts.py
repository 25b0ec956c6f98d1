from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from collection import debts, states
from collection.balances import ledger
from collection.models import Debt, LedgerEntry
from ddc.common.errors import Duplicate, Forbidden, Stale
from ddc.common.money import BadAmount
from payments import posting
from tests import factories

TODAY = date(2026, 2, 1)

pytestmark = pytest.mark.django_db


def entries(debt: Debt) -> list[tuple[str, Decimal]]:
    return list(LedgerEntry.objects.filter(debt_id=debt.pk).values_list("kind", "amount"))


def amend(debt: Debt, **values: object) -> Debt:
    return debts.amend(debt, **{"by": None, "today": TODAY} | values)  # type: ignore[arg-type]


def test_a_placement_posts_the_original_balance():
    debt = factories.debt(balance="500")
    assert entries(debt) == [("placement", 500)]
    assert debt.current_balance == 500


def test_a_smaller_current_balance_is_posted_as_an_adjustment():
    debt = factories.debt(balance="500", current_balance=Decimal(200))
    assert entries(debt) == [("placement", 500), ("adjustment", -300)]
    assert debt.current_balance == 200


def test_a_debt_placed_with_balance_0_is_paid():
    debt = factories.debt(balance="500", current_balance=Decimal(0))
    assert debt.current_status == "paid"


def test_a_debt_starts_open():
    with pytest.raises(states.ClosedStatusRefused):
        factories.debt(current_status="settled")
    assert not Debt.objects.exists()


def test_an_amount_has_no_more_decimals_than_its_currency():
    with pytest.raises(BadAmount) as refused:
        factories.debt(currency_code="JPY", balance="10.5")
    assert refused.value.field == "original_balance"


def test_a_reference_is_unique_per_creditor():
    factories.debt(external_reference="A1", original_creditor="X")
    factories.debt(external_reference="A1", original_creditor="Y")
    with pytest.raises(Duplicate):
        factories.debt(external_reference="A1", original_creditor="X")
    assert Debt.objects.count() == 2


def test_a_reference_is_free_again_once_its_debt_is_recalled():
    recalled = factories.debt(external_reference="A1")
    amend(recalled, current_status="recalled")
    again = factories.debt(external_reference="A1", original_creditor="abc credit corp")
    assert again.creditor == recalled.creditor
    with pytest.raises(Duplicate) as refused:
        amend(recalled, current_status="active")
    assert refused.value.field == "external_reference"
    recalled.refresh_from_db()
    assert recalled.current_status == "recalled"


def test_another_balance_is_an_adjustment_with_its_author():
    debt, supervisor = factories.debt(balance="500"), factories.agent("Supervisor")
    amend(debt, current_balance=Decimal(450), by=supervisor)
    entry = LedgerEntry.objects.get(kind="adjustment")
    assert (entry.amount, entry.by) == (-50, supervisor)


def test_an_agent_may_not_adjust_a_balance():
    debt = factories.debt(balance="500")
    with pytest.raises(Forbidden):
        amend(debt, current_balance=Decimal(450), by=factories.agent("Agent"))
    assert entries(debt) == [("placement", 500)]


def test_sending_back_a_debt_that_was_read_moves_no_money():
    debt = factories.debt(balance="500")
    same = {"original_balance": debt.original_balance, "current_balance": debt.current_balance}
    amend(
        debt, by=factories.agent("Agent"), currency_code="GBP", current_status="active", original_creditor="Z", **same
    )
    assert entries(debt) == [("placement", 500)]
    debt.refresh_from_db()
    assert debt.original_creditor == "Z"


def test_a_change_of_money_by_a_stale_read_is_refused():
    debt = factories.debt(balance="500")
    with pytest.raises(Stale):
        amend(debt, if_unchanged_since=datetime(2026, 1, 1, tzinfo=UTC), current_balance=Decimal(400))
    assert entries(debt) == [("placement", 500)]
    amend(debt, if_unchanged_since=datetime(2026, 1, 1, tzinfo=UTC), original_creditor="Z")
    debt.refresh_from_db()
    amend(debt, if_unchanged_since=debt.updated_at, original_creditor="Y", current_balance=Decimal(400))
    debt.refresh_from_db()
    assert debt.current_balance == 400


def test_another_original_balance_is_a_reversal_and_a_new_placement():
    debt = factories.debt(balance="500", current_balance=Decimal(400))
    amend(debt, original_balance=Decimal(600))
    assert sorted(entries(debt)) == [("adjustment", -100), ("placement", 500), ("placement", 600), ("reversal", -500)]
    debt.refresh_from_db()
    assert (debt.original_balance, debt.current_balance, debt.current_status) == (600, 500, "active")


def test_another_currency_is_a_reversal_and_a_new_placement():
    debt = factories.debt(balance="500", current_balance=Decimal(400))
    amend(debt, currency_code="EUR")
    debt.refresh_from_db()
    assert (debt.currency_code, debt.original_balance, debt.current_balance) == ("EUR", 500, 400)
    by_currency = {
        code: sum(LedgerEntry.objects.filter(currency_code=code).values_list("amount", flat=True))
        for code in ("GBP", "EUR")
    }
    assert by_currency == {"GBP": 0, "EUR": 400}


@pytest.mark.parametrize("change", [{"currency_code": "EUR"}, {"original_balance": Decimal(600)}])
def test_payments_fix_currency_and_original_balance(change: dict[str, object]):
    debt = factories.debt(balance="500")
    posting.record(debt=debt, amount=Decimal(1), status="pending", by=None, today=TODAY)
    with pytest.raises(debts.ImmutableAfterPayments) as refused:
        amend(debt, **change)
    assert [refused.value.field] == list(change)
    assert entries(debt) == [("placement", 500)]


def test_the_original_balance_is_at_least_the_adjustments():
    debt = factories.debt(balance="500", current_balance=Decimal(100))
    with pytest.raises(ledger.ExceedsBalance):
        amend(debt, original_balance=Decimal(300))
    debt.refresh_from_db()
    assert debt.current_balance == 100


def test_a_debt_stays_with_its_debtor():
    debt = factories.debt()
    with pytest.raises(debts.DebtorIsImmutable):
        amend(debt, debtor=factories.debtor())


def test_the_ledger_of_a_deleted_debt_ends_with_a_reversal():
    debt = factories.debt(balance="500", current_balance=Decimal(200))
    key = debt.pk
    debts.delete(debt, by=None, today=TODAY)
    assert not Debt.objects.filter(pk=key).exists()
    entries = LedgerEntry.objects.filter(debt_id=key)
    assert sum(entry.amount for entry in entries) == 0
    assert entries.last().cause["type"] == "deletion"


def test_a_debt_with_payments_is_not_deleted():
    debt = factories.debt(balance="500")
    posting.record(debt=debt, amount=Decimal(1), by=None, today=TODAY)
    with pytest.raises(debts.DebtInUse):
        debts.delete(debt, by=None, today=TODAY)
    assert entries(debt) == [("placement", 500), ("payment", -1)]


@pytest.mark.owner
@pytest.mark.parametrize("sql", ["UPDATE ledger_entry SET amount = 1", "DELETE FROM ledger_entry"])
def test_the_database_itself_refuses_to_change_the_ledger(sql: str):
    debt = factories.debt(balance="500")
    with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(sql)
    assert entries(debt) == [("placement", 500)]


OPEN = ["active", "payment_plan", "deferred", "disputed"]
CLOSED = ["settled", "written_off", "recalled"]


@pytest.mark.parametrize("before", OPEN)
@pytest.mark.parametrize("after", [*OPEN, *CLOSED])
def test_an_open_status_changes_to_any_other_except_paid(before: str, after: str):
    debt = factories.debt(balance="500", current_status=before)
    amend(debt, current_status=after)
    debt.refresh_from_db()
    assert debt.current_status == after
    assert debt.current_balance == (0 if after in ("settled", "written_off") else 500)


@pytest.mark.parametrize("closed", CLOSED)
def test_a_reopened_debt_has_its_balance_again(closed: str):
    debt = factories.debt(balance="500")
    amend(debt, current_status=closed)
    amend(debt, current_status="active")
    debt.refresh_from_db()
    assert (debt.current_status, debt.current_balance) == ("active", 500)


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("after", [*OPEN[1:], *CLOSED, "paid"])
def test_a_closed_status_changes_only_to_active(closed: str, after: str):
    debt = factories.debt(balance="500")
    amend(debt, current_status=closed)
    before = entries(debt)
    if closed != after:
        with pytest.raises(states.InvalidTransition):
            amend(debt, current_status=after)
    else:
        amend(debt, current_status=after)
    debt.refresh_from_db()
    assert (debt.current_status, entries(debt)) == (closed, before)


@pytest.mark.parametrize("after", [*OPEN, *CLOSED])
def test_paid_only_follows_the_balance(after: str):
    debt = factories.debt(balance="500", current_balance=Decimal(0))
    with pytest.raises(states.InvalidTransition):
        amend(debt, current_status=after)
    debt.refresh_from_db()
    assert debt.current_status == "paid"


@pytest.mark.parametrize("closed", CLOSED)
def test_an_agent_may_not_close_or_reopen(closed: str):
    debt, agent = factories.debt(balance="500"), factories.agent("Agent")
    with pytest.raises(Forbidden):
        amend(debt, current_status=closed, by=agent)
    amend(debt, current_status=closed)
    with pytest.raises(Forbidden):
        amend(debt, current_status="active", by=agent)
    debt.refresh_from_db()
    assert debt.current_status == closed


def test_a_closing_status_may_come_with_balance_0():
    debt = factories.debt(balance="500")
    amend(debt, current_status="settled", current_balance=Decimal(0))
    assert entries(debt) == [("placement", 500), ("write_off", -500)]


def test_a_given_segment_is_pinned_and_null_assigns_one_again():
    fits, chosen = factories.segment(), factories.segment(is_active=False)
    debt = factories.debt()
    assert (debt.segment, debt.segment_is_pinned) == (fits, False)
    debt = amend(debt, segment=fits)
    assert not debt.segment_is_pinned
    debt = amend(debt, segment=chosen)
    assert debt.segment_is_pinned
    debt = amend(debt, segment=None)
    debt.refresh_from_db()
    assert (debt.segment, debt.segment_is_pinned) == (fits, False)
