"""Limitation periods: their last day, the warning, and the laws under which the debt itself ends."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from collection.models import Debt
from communications.outbox import may_go
from communications.texts import facts as text_facts
from contact import facts, limitation
from contact.engine.decision import ReasonCode
from contact.engine.policies import location
from creditors.models import Creditor
from payments import posting
from tests import factories
from tests.communications.conftest import NOON

TODAY = date(2026, 11, 30)


def periods(country, region=None, kind="", day=TODAY):
    return limitation.applicable(frozenset({location(country, region)}), kind, day)


def last_day(country, begins, *paid, region=None, kind=""):
    return min(period.last_day(begins, paid) for period in periods(country, region, kind))


@pytest.mark.parametrize(
    ("country", "region", "kind", "begins", "paid", "expected"),
    [
        # Limitation Act 1980, s. 5 and 29: six years, again from a payment within them.
        ("GB", None, "", date(2020, 3, 1), [], date(2026, 3, 1)),
        ("GB", None, "", date(2020, 3, 1), [date(2024, 5, 2)], date(2030, 5, 2)),
        ("GB", None, "", date(2010, 3, 1), [date(2017, 5, 2)], date(2016, 3, 1)),
        ("GB", None, "", date(2010, 3, 1), [date(2020, 1, 1), date(2015, 1, 1)], date(2026, 1, 1)),
        # Prescription and Limitation (Scotland) Act 1973, s. 6: five years.
        ("GB", "Scotland", "", date(2020, 3, 1), [], date(2025, 3, 1)),
        # BGB § 195, 199: three years from the end of the year.
        ("DE", "BY", "", date(2023, 2, 3), [], date(2026, 12, 31)),
        # Code de la consommation, art. L218-2: two years; art. 2224: five.
        ("FR", None, "consumer", date(2024, 2, 29), [], date(2026, 2, 28)),
        ("FR", None, "business", date(2024, 2, 29), [], date(2029, 2, 28)),
        ("FR", None, "", date(2024, 2, 29), [], date(2026, 2, 28)),
        # CPLR 214-i and 213; a payment does not begin a new period.
        ("US", "NY", "credit", date(2024, 1, 5), [date(2025, 1, 5)], date(2027, 1, 5)),
        ("US", "NY", "business", date(2024, 1, 5), [], date(2030, 1, 5)),
        # Alberta, two years.
        ("CA", "AB", "", date(2024, 1, 5), [], date(2026, 1, 5)),
        ("AU", "NT", "", date(2024, 1, 5), [], date(2027, 1, 5)),
        ("AU", "NSW", "", date(2024, 1, 5), [], date(2030, 1, 5)),
    ],
)  # fmt: skip
def test_the_last_day_of_a_period(country, region, kind, begins, paid, expected):
    assert last_day(country, begins, *paid, region=region, kind=kind) == expected


def test_a_period_counts_from_its_first_day():
    assert [period.years for period in periods("US", "NY", "credit", date(2022, 4, 6))] == []
    assert [period.years for period in periods("US", "NY", "credit", date(2022, 4, 7))] == [3]


@pytest.mark.django_db
class TestDebts:
    @staticmethod
    def debt(**debtor):
        where = {"country_code": "GB", "region_state": "Scotland", "mobile_phone": None} | debtor
        return factories.debt(
            debtor=factories.debtor(**where), due_date=date(2020, 6, 1), placement_date=date(2025, 12, 1)
        )

    @staticmethod
    def codes(debt):
        found = may_go.previews(debt.debtor, debts=[debt], now=NOON)
        return {reason.code for one in found for reason in one.decision.reasons}

    def test_a_debt_that_has_ended_by_law_is_not_collected(self):
        assert ReasonCode.TIME_BARRED in self.codes(self.debt())
        assert ReasonCode.TIME_BARRED not in self.codes(self.debt(region_state="England"))

    def test_a_payment_within_the_period_begins_a_new_one_and_a_reversed_one_does_not(self):
        debt = self.debt()
        paid = posting.record(
            debt=debt,
            amount=Decimal(10),
            payment_date=date(2024, 1, 1),
            payment_method="card",
            by=None,
            today=NOON.date(),
        )
        assert facts.limitations([debt], now=NOON)[debt.pk].last_day == date(2029, 1, 1)
        assert ReasonCode.TIME_BARRED not in self.codes(debt)
        posting.void(paid, by=factories.agent(), today=NOON.date())
        assert facts.limitations([debt], now=NOON)[debt.pk].last_day == date(2025, 6, 1)

    def test_without_a_due_date_the_placement_counts(self):
        debt = self.debt()
        Debt.objects.filter(pk=debt.pk).update(due_date=None)
        debt.refresh_from_db()
        assert facts.limitations([debt], now=NOON)[debt.pk].last_day == date(2030, 12, 1)

    def test_the_kind_of_the_creditors_debts_counts(self):
        debt = self.debt(country_code="FR", region_state=None)
        assert facts.limitations([debt], now=NOON)[debt.pk].last_day == date(2022, 6, 1)
        Creditor.objects.update(debt_kind="business")
        debt = Debt.objects.get(pk=debt.pk)
        assert facts.limitations([debt], now=NOON)[debt.pk].last_day == date(2025, 6, 1)

    def test_the_number_of_queries_does_not_depend_on_the_debts(self):
        debts = [self.debt() for _ in range(5)]
        counts = []
        for some in (debts[:1], debts):
            with CaptureQueriesContext(connection) as queries:
                facts.limitations(some, now=NOON)
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 2

    def test_a_text_names_the_last_day(self):
        debt = self.debt()
        recipient = text_facts.Recipient(debt.debtor, debt, "en")
        (values,) = text_facts.gather([recipient], now=NOON, names=["limitation_end_date"])
        assert values == {"limitation_end_date": "Jun 1, 2025"}

    @pytest.mark.usefixtures("at_noon")
    def test_the_preview_warns(self, api):
        debt = self.debt(region_state="England")
        Debt.objects.filter(pk=debt.pk).update(due_date=date(2019, 6, 1))
        (found,) = api.get(f"/debtors/{debt.debtor_id}/contact-preview").json()["debts"]
        assert (found["limitationEndsOn"], found["isTimeBarred"]) == ("2025-06-01", True)
        assert found["limitationSection"].startswith("Limitation Act 1980")
        unknown = factories.debt(debtor=factories.debtor(country_code="AE", mobile_phone=None))
        (found,) = api.get(f"/debtors/{unknown.debtor_id}/contact-preview").json()["debts"]
        assert (found["limitationEndsOn"], found["isTimeBarred"], found["limitationSection"]) == (None, False, "")


def test_the_last_day_is_not_yet_over():
    known = limitation.Limitation(date(2026, 3, 1), periods("GB")[0])
    assert not known.is_over(date(2026, 3, 1))
    assert known.is_over(date(2026, 3, 1) + timedelta(days=1))
