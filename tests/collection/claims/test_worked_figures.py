"""The worked figures of laws, courts and calculators."""

from datetime import date
from decimal import Decimal

import pytest

from collection.claims import account, allocation, costs, interest
from collection.claims.account import Event, Kind
from collection.claims.components import Components
from collection.claims.interest import Compounding, DayCount, Rate, Reset, Step, Stop, Terms
from creditors.kinds import AllocationPolicy


def money(principal="0", interest="0", costs="0", fees="0"):
    return Components(Decimal(principal), Decimal(interest), Decimal(costs), Decimal(fees))


def terms(since, percent="10", **fields):
    return Terms(since, (Rate(since, Decimal(percent)),), **fields)


def opening(day, **parts):
    return Event("opening", Kind.OPENING, day, split=money(**parts))


def computed(events, law="BGB_367", on=None, until=None):
    return account.compute(events, allocation.POLICIES[law], on, until)


class TestAllocation:
    OPEN = money("1000.00", "45.00", "80.00")

    @pytest.mark.parametrize(
        ("law", "split"),
        [
            ("BGB_367", money("175", "45", "80")),
            ("BGB_497_3", money("220", "0", "80")),
            ("NL_6_44", money("175", "45", "80")),
            ("FR_1343_1", money("175", "45", "80")),
            ("US_RULE", money("255", "45", "0")),
            ("UK_COMMON", money("255", "45", "0")),
            ("PRINCIPAL_FIRST", money("300", "0", "0")),
            ("PRO_RATA", money("266.67", "12.00", "21.33")),
        ],
    )
    def test_300_on_1000_and_45_interest_and_80_costs(self, law, split):
        assert allocation.allocate(Decimal("300.00"), self.OPEN, allocation.POLICIES[law]) == split

    def test_dutch_court(self):
        owed = money("10000", "250", "875")
        paid = allocation.allocate(Decimal(10000), owed, allocation.POLICIES["NL_6_44"])
        assert paid == money("8875", "250", "875")
        assert (owed - paid).principal == 1125


class TestInterest:
    @pytest.mark.parametrize(
        ("principal", "percent", "since", "until", "days", "expected"),
        [
            ("354.16", "4.12", date(2018, 4, 30), date(2018, 6, 18), 49, "1.96"),
            ("1000.00", "6.27", date(2025, 11, 15), date(2026, 2, 20), 97, "16.66"),
            ("1000.00", "10", date(2026, 1, 1), date(2026, 1, 20), 19, "5.21"),
            ("6500.00", "11.75", date(2026, 4, 1), date(2026, 7, 29), 119, "249.00"),
        ],
    )
    def test_first_day_counts_and_day_of_payment_does_not(self, principal, percent, since, until, days, expected):
        assert (until - since).days == days
        found = computed([opening(since, principal=principal)], on=terms(since, percent), until=until)
        assert found.interest == Decimal(expected)

    @pytest.mark.parametrize(
        "postings", [[], ["2025-06-30"], ["2025-07-01"], ["2025-05-31", "2025-06-30", "2025-07-31"]]
    )
    def test_german_b2b_however_often_it_is_posted(self, postings):
        rates = (Rate(date(2025, 1, 1), Decimal("11.27")), Rate(date(2025, 7, 1), Decimal("10.27")))
        on, steps = Terms(date(2025, 5, 1), rates), [Step(date(2025, 5, 1), Decimal(5000))]
        posted = Decimal(0)
        for day in [*map(date.fromisoformat, postings), date(2025, 8, 1)]:
            whole = interest.rounded(interest.accrued(steps, on, on.since, day), Decimal("0.01"))
            posted += whole - posted
            if day == date(2025, 7, 1):
                assert posted == Decimal("94.17")
        assert posted == Decimal("137.79")

    def test_german_b2b_posted_every_day(self):
        rates = (Rate(date(2025, 1, 1), Decimal("11.27")), Rate(date(2025, 7, 1), Decimal("10.27")))
        on, claim = Terms(date(2025, 5, 1), rates), [opening(date(2025, 5, 1), principal="5000")]
        nothing = [
            Event(f"{month}-{day}", Kind.ADJUSTMENT, date(2025, month, day))
            for month, days in ((5, 31), (6, 30), (7, 31))
            for day in range(1, days + 1)
        ]
        assert computed(claim + nothing, on=on, until=date(2025, 8, 1)).interest == Decimal("137.79")

    def test_british_late_payment_is_fixed_at_start(self):
        series = [Rate(date(2026, 1, 1), Decimal("3.75")), Rate(date(2026, 7, 1), Decimal("3.50"))]
        since, until = date(2026, 4, 1), date(2026, 7, 29)
        for reset, expected in ((Reset.FIXED_AT_START, "249.00"), (Reset.FLOATING, "247.76")):
            rates, unknown = interest.schedule_rates(reset, Decimal(8), series, since)
            assert unknown is None
            found = interest.accrued([Step(since, Decimal(6500))], Terms(since, rates), since, until)
            assert interest.rounded(found, Decimal("0.01")) == Decimal(expected)

    def test_dutch_interest_compounds_yearly(self):
        since, until = date(2025, 1, 1), date(2027, 4, 11)
        claim = [opening(since, principal="1000.00")]
        for compounding, expected in ((Compounding.ANNIVERSARY, "1093.45"), (Compounding.NONE, "1090.96")):
            found = computed(claim, "NL_6_44", terms(since, "4", compounding=compounding), until)
            assert found.payoff == Decimal(expected)

    @pytest.mark.parametrize(
        ("day_count", "expected"),
        [(DayCount.ACT_365, "334.25"), (DayCount.ACT_ACT, "333.57"), (DayCount.THIRTY_360, "333.33")],
    )
    def test_leap_year(self, day_count, expected):
        since, until = date(2027, 12, 1), date(2028, 4, 1)
        found = interest.accrued([Step(since, Decimal(10000))], terms(since, day_count=day_count), since, until)
        assert interest.rounded(found, Decimal("0.01")) == Decimal(expected)

    def test_negative_base_lowers_the_sum(self):
        series = [Rate(date(2018, 1, 1), Decimal("-0.88"))]
        rates, _ = interest.schedule_rates(Reset.FLOATING, Decimal(5), series, date(2018, 4, 30))
        assert rates == (Rate(date(2018, 4, 30), Decimal("4.12")),)

    def test_moratorium(self):
        since = date(2026, 1, 1)
        stop = Stop(date(2026, 2, 1), date(2026, 4, 2))
        claim = [opening(since, principal="1000.00")]
        assert computed(claim, on=terms(since, "8", stops=(stop,)), until=date(2026, 6, 30)).interest == Decimal(
            "26.30"
        )
        assert computed(claim, on=terms(since, "8", stops=(stop,)), until=date(2026, 7, 1)).interest == Decimal("26.52")
        assert computed(claim, on=terms(since, "8"), until=date(2026, 7, 1)).interest == Decimal("39.67")

    @pytest.mark.parametrize(("ecb", "percent"), [("4.50", 7), ("4.25", 7), ("3.40", 6), ("2.15", 4), ("2.40", 5)])
    def test_dutch_consumer_rate(self, ecb, percent):
        assert interest.dutch_consumer_rate(Decimal(ecb)) == percent

    def test_dutch_consumer_rate_moves_by_2_points_at_most(self):
        assert interest.dutch_consumer_rate(Decimal("2.15"), Decimal(7)) == 5
        assert interest.dutch_consumer_rate(Decimal("4.50"), Decimal(2)) == 4


def test_every_policy_can_be_agreed_with_a_creditor():
    assert {policy.value for policy in AllocationPolicy} == set(allocation.POLICIES)


class TestChoice:
    @pytest.mark.parametrize(
        ("agreed", "country", "debt_kind", "code"),
        [
            ("PRO_RATA", "DE", "credit", "PRO_RATA"),
            ("", "DE", "credit", "BGB_497_3"),
            ("", "DE", "consumer", "BGB_367"),
            ("", "DE", "", "BGB_367"),
            ("", "NL", "business", "NL_6_44"),
            ("", "FR", "", "FR_1343_1"),
            ("", "US", "credit", "US_RULE"),
            ("", "GB", "", "UK_COMMON"),
            ("", "JP", "", "PRINCIPAL_FIRST"),
            ("", "", "", "PRINCIPAL_FIRST"),
        ],
    )
    def test_the_creditors_policy_else_the_countrys(self, agreed, country, debt_kind, code):
        assert allocation.choose(agreed, country, debt_kind).code == code

    @pytest.mark.parametrize(("law", "principal"), [("UK_COMMON", "300"), ("US_RULE", "300"), ("BGB_367", "175")])
    def test_the_debtors_direction_wins_where_the_law_allows(self, law, principal):
        found = allocation.allocate(Decimal(300), TestAllocation.OPEN, allocation.POLICIES[law], ["principal"])
        assert found.principal == Decimal(principal)


def test_anniversary_of_a_leap_day():
    leap = date(2024, 2, 29)
    assert [interest.anniversary(leap, years) for years in (1, 4)] == [date(2025, 3, 1), date(2028, 2, 29)]


class TestTime:
    START = date(2026, 1, 1)

    def test_back_dated_payment(self):
        claim = [opening(self.START, principal="1000.00")]
        on, until = terms(self.START), date(2026, 4, 1)
        assert computed(claim, on=on, until=until).interest == Decimal("24.66")
        paid = Event("paid", Kind.PAYMENT, date(2026, 1, 31), amount=Decimal("500.00"))
        found = computed([paid, *claim], on=on, until=until)
        assert found.line("paid").split == -money("491.78", "8.22")
        assert found.line("paid").balances.principal == Decimal("508.22")
        assert found.interest - found.line("paid").interest == Decimal("8.35")
        assert found.payoff == Decimal("516.57")

    def test_charge_back_is_effective_as_the_original(self):
        claim = [opening(self.START, principal="1000.00", costs="80.00")]
        on, until = terms(self.START), date(2026, 3, 20)
        paid = Event("paid", Kind.PAYMENT, date(2026, 1, 31), amount=Decimal("300.00"))
        assert computed([*claim, paid], on=on, until=until).line("paid").split == -money("211.78", "8.22", "80")
        bounced = Event("paid", Kind.PAYMENT, date(2026, 1, 31), amount=Decimal("300.00"), returned=Decimal("300.00"))
        found = computed([*claim, bounced], on=on, until=until)
        assert found.balances == money("1000", "21.37", "80")
        assert computed(claim, on=on, until=until).balances == found.balances

    def test_refund_counts_from_its_own_day(self):
        claim = [opening(self.START, principal="1000.00", costs="80.00")]
        paid = Event("paid", Kind.PAYMENT, date(2026, 1, 31), amount=Decimal("300.00"))
        back = Event("back", Kind.REFUND, date(2026, 3, 20), amount=Decimal("300.00"), refers_to="paid")
        found = computed([*claim, paid, back], on=terms(self.START), until=date(2026, 3, 20))
        assert found.balances == money("1000", "18.58", "80")  # 30 days on 1,000.00 and 48 on 788.22.


class TestCosts:
    @staticmethod
    def charged(code, mandate, claim, **more):
        rule = costs.in_force(costs.shipped(), code, date.fromisoformat(mandate))
        return costs.charge(rule, Decimal(claim), **more)

    @pytest.mark.parametrize(
        ("claim", "factor", "expected"),
        [
            ("45.00", "usual", "32.94"),
            ("45.00", "paid on the first letter", "18.30"),
            ("400.00", "usual", "55.62"),
            ("400.00", "paid on the first letter", "30.90"),
            ("1200.00", "usual", "141.05"),
            ("1200.00", "paid on the first letter", "80.70"),
            ("1200.00", "exceptional", "194.85"),
        ],
    )
    def test_german_fee(self, claim, factor, expected):
        assert self.charged("DE_RVG", "2025-06-01", claim, factor=factor) == Decimal(expected)

    def test_german_fee_by_day_of_mandate(self):
        # 0.9 times 127.00 = 114.30, and 20.00.
        assert self.charged("DE_RVG", "2025-05-31", "1200.00", factor="usual") == Decimal("134.30")
        assert costs.in_force(costs.shipped(), "DE_RVG", date(2021, 9, 30)) is None

    @pytest.mark.parametrize("code", ["DE_RVG", "DE_RVG_PLAN"])
    @pytest.mark.parametrize(
        ("mandate", "first", "adds"),
        [("2025-05-31", "49.00", "39 56 52 81"), ("2025-06-01", "51.50", "41.50 59.50 55 86")],
    )
    def test_the_german_table_follows_the_steps_of_the_law(self, code, mandate, first, adds):
        """§ 13 (1) RVG: the fee for 500 euros, and what each begun further sum adds, up to 2,000, 10,000, 25,000 and 50,000."""
        up_to, fee, expected = Decimal(500), Decimal(first), [(Decimal(500), Decimal(first))]
        widths = ((2_000, 500), (10_000, 1_000), (25_000, 3_000), (50_000, 5_000))
        for (end, width), more in zip(widths, adds.split(), strict=True):
            while up_to < end:
                up_to, fee = up_to + width, fee + Decimal(more)
                expected.append((up_to, fee))
        steps = costs.in_force(costs.shipped(), code, date.fromisoformat(mandate)).table.steps
        assert [(step.up_to, step.amount) for step in steps] == expected[: len(steps)]
        assert steps[-1].up_to == (25_000 if code == "DE_RVG_PLAN" else 50_000)

    def test_german_plan_fee_is_on_half_the_claim(self):
        assert self.charged("DE_RVG_PLAN", "2026-01-01", "1200.00", factor="usual") == Decimal("78.12")

    def test_german_table_ends(self):
        with pytest.raises(costs.NoFigure, match="ends at 50000"):
            self.charged("DE_RVG", "2026-01-01", "50000.01", factor="usual")
        with pytest.raises(costs.NoFigure, match="usual"):
            self.charged("DE_RVG", "2026-01-01", "400.00")

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [("200", "40"), ("1000", "150"), ("5000", "625"), ("10000", "875"), ("100000", "1775"), ("1000000", "6775")],
    )
    def test_dutch_costs(self, claim, expected):
        assert self.charged("NL_WIK", "2026-01-01", claim) == Decimal(expected)

    def test_dutch_costs_after_part_payment_in_time(self):
        assert self.charged("NL_WIK", "2026-01-01", "1000.00", paid_in_time=Decimal("600.00")) == Decimal("60.00")

    @pytest.mark.parametrize(
        ("claim", "expected"),
        [("999.99", 40), ("1000.00", 70), ("9999.99", 70), ("10000.00", 100), ("6500.00", 70)],
    )
    def test_british_fixed_sum(self, claim, expected):
        assert self.charged("UK_LATE_PAYMENT", "2026-01-01", claim) == expected

    def test_european_fixed_sum(self):
        assert self.charged("EU_LATE_PAYMENT", "2026-01-01", "12.00") == 40
