"""Random histories: the account agrees with an independent oracle, and the order of arrival does not matter."""

import os
import random
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from multiprocessing import get_context

import pytest

from collection.claims import account, allocation
from collection.claims.account import Event, Kind
from collection.claims.components import NAMES, Components
from collection.claims.interest import Compounding, DayCount, Rate, Stop, Terms
from tests.collection.claims import oracle

START = date(2023, 11, 1)
KINDS = {
    "opening": Kind.OPENING,
    "charge": Kind.CHARGE,
    "payment": Kind.PAYMENT,
    "refund": Kind.REFUND,
    "adjustment": Kind.ADJUSTMENT,
}


def history(number):
    """Return events, law, terms and the last day of a random history, all in plain values and cents."""
    dice = random.Random(number)
    length = dice.choice([30, 200, 900])

    def day():
        return START + timedelta(days=dice.randrange(length))

    def cents(most=200_000):
        return dice.choice([0, 1, dice.randrange(1, 100), dice.randrange(1, most)])

    def split(**parts):
        return {part: parts.get(part, 0) for part in oracle.PARTS}

    def event(kind, number, **fields):
        made = {"id": f"{number:02}", "kind": kind, "day": day(), "amount": 0, "returned": 0, "direction": ()}
        return made | {"split": split(), "refers_to": None} | fields

    opening = {"principal": dice.randrange(1, 1_000_000)}
    opening |= {part: cents(20_000) for part in ("interest", "costs", "fees") if dice.random() < 0.3}
    events = [event("opening", 0, split=split(**opening))]
    for number in range(1, dice.randrange(2, 9)):
        kind = dice.choice(["payment", "payment", "payment", "charge", "adjustment", "refund"])
        if kind == "payment":
            amount = dice.randrange(1, 2 * opening["principal"] // dice.choice([1, 5, 20]) + 2)
            returned = dice.choice([0, 0, 0, amount, dice.randrange(amount + 1)])
            direction = dice.choice([(), (), ("principal",), ("interest", "costs"), ("fees", "principal")])
            events.append(event(kind, number, amount=amount, returned=returned, direction=direction))
        elif kind == "charge":
            events.append(event(kind, number, split=split(**{dice.choice(["costs", "fees", "principal"]): cents()})))
        elif kind == "adjustment":
            sign = dice.choice([1, -1, -1])
            events.append(event(kind, number, split=split(**{dice.choice(oracle.PARTS): sign * cents()})))
        else:
            add_refund(events, event, number, dice)
    law = dice.choice(list(oracle.ORDER))
    return events, law, random_terms(dice, day) if dice.random() < 0.9 else None, START + timedelta(days=length)


def add_refund(events, event, number, dice):
    """Give back a part of a payment that still has something to give, on its day or later."""
    refunded = {}
    for made in events:
        if made["kind"] == "refund":
            refunded[made["refers_to"]] = refunded.get(made["refers_to"], 0) + made["amount"]
    for paid in events:
        left = paid["amount"] - paid["returned"] - refunded.get(paid["id"], 0)
        if paid["kind"] == "payment" and left > 0:
            later = paid["day"] + timedelta(days=dice.randrange(60))
            events.append(event("refund", number, amount=dice.randrange(1, left + 1), refers_to=paid["id"], day=later))
            return


def random_terms(dice, day):
    since = day() - timedelta(days=dice.choice([0, 0, 400]))
    changes = sorted({since, *(day() for _ in range(dice.randrange(3)))})
    percents = ["0", "10", "11.27", "4", "3.3125", "36.5"]
    stops = []
    for _ in range(dice.choice([0, 0, 1, 2])):
        first = day()
        stops.append((first, dice.choice([None, first + timedelta(days=dice.randrange(90))])))
    return {
        "since": since,
        "rates": [(change, dice.choice(percents)) for change in changes if change >= since],
        "day_count": dice.choice([count.value for count in DayCount]),
        "yearly": dice.random() < 0.4,
        "stops": stops,
        "known_until": dice.choice([None, None, None, day()]),
        "on_costs": dice.random() < 0.3,
    }


def money(split):
    return Components(*(Decimal(split[name]) / 100 for name in NAMES))


def computed(events, law, terms, until):
    given = [
        Event(
            event["id"],
            KINDS[event["kind"]],
            event["day"],
            amount=Decimal(event["amount"]) / 100,
            split=money(event["split"]),
            returned=Decimal(event["returned"]) / 100,
            refers_to=event["refers_to"],
            direction=event["direction"],
        )
        for event in events
    ]
    on = terms and Terms(
        terms["since"],
        tuple(Rate(since, Decimal(percent)) for since, percent in terms["rates"]),
        DayCount(terms["day_count"]),
        Compounding.ANNIVERSARY if terms["yearly"] else Compounding.NONE,
        tuple(Stop(*stop) for stop in terms["stops"]),
        terms["known_until"],
        terms["on_costs"],
    )
    return account.compute(given, allocation.POLICIES[law], on, until)


def check(number):
    events, law, terms, until = history(number)
    found = computed(events, law, terms, until)
    owed, interest, splits, rest = oracle.run(events, law, terms, until)
    assert found.balances == money(owed), number
    assert found.interest == Decimal(interest) / 100, number
    assert {line.event.id: line.split for line in found.lines} == {key: money(split) for key, split in splits.items()}
    assert {line.event.id: line.excess for line in found.lines} == {key: Decimal(c) / 100 for key, c in rest.items()}
    check_sums(found, number)
    random.Random(-number).shuffle(events)
    assert computed(events, law, terms, until) == found, number


def check_sums(found, number):
    total = Components.sum(line.split for line in found.lines) + Components(interest=found.interest)
    assert total == found.balances, number
    assert all(found.balances.of(name) >= 0 for name in NAMES), number
    refunded = {}
    for line in found.lines:
        if line.event.kind == Kind.REFUND:
            given = refunded.get(line.event.refers_to, 0) + line.event.amount - line.split.total
            refunded[line.event.refers_to] = given
    for line in found.lines:
        if line.event.kind == Kind.PAYMENT:
            taken = -line.split.total + line.excess + refunded.get(line.event.id, 0)
            assert taken == line.event.amount - line.event.returned, number


def test_two_hundred_histories():
    for number in range(200):
        check(number)


def check_hundred(first):
    for number in range(first, first + 100):
        check(number)
    return 100


@pytest.mark.deep
def test_one_hundred_thousand_histories():
    # New processes, since one that is forked would share the suite's connection to the database.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        done = sum(processes.map(check_hundred, range(1_000, 101_000, 100)))
    assert done == 100_000


def test_the_oracle_knows_the_worked_figures():
    terms = {"since": date(2026, 1, 1), "rates": [(date(2026, 1, 1), "10")], "day_count": "act/365", "yearly": False}
    terms |= {"stops": [], "known_until": None, "on_costs": False}
    blank = {"returned": 0, "direction": (), "refers_to": None}
    claim = {"id": "0", "kind": "opening", "day": date(2026, 1, 1)}
    claim |= {"split": {"principal": 100_000, "interest": 0, "costs": 0, "fees": 0}}
    paid = {"id": "1", "kind": "payment", "day": date(2026, 1, 31), "amount": 50_000, **blank}
    owed, *_ = oracle.run([claim, paid], "BGB_367", terms, date(2026, 4, 1))
    assert sum(owed.values()) == 51_657
    assert oracle.pay(30_000, {"principal": 100_000, "interest": 4_500, "costs": 8_000, "fees": 0}, oracle.ORDER["PRO_RATA"]) == {
        "principal": 26_667, "interest": 1_200, "costs": 2_133, "fees": 0,
    }  # fmt: skip


@pytest.mark.parametrize("times", [1, 2, 3, 12, 90])
def test_posting_often_ends_in_the_same_cent(times):
    for number in range(50):
        events, law, terms, until = history(number)
        dice = random.Random(number)
        # An adjustment of nothing makes the account post its interest on that day.
        days = [START + timedelta(days=dice.randrange((until - START).days)) for _ in range(times)]
        nothing = {"kind": "adjustment", "amount": 0, "split": dict.fromkeys(oracle.PARTS, 0), "returned": 0}
        posts = [
            {**nothing, "id": f"p{n}", "day": day, "direction": (), "refers_to": None} for n, day in enumerate(days)
        ]
        once, often = computed(events, law, terms, until), computed(events + posts, law, terms, until)
        assert (often.balances, often.interest, often.units) == (once.balances, once.interest, once.units)


def test_exact_units_are_a_decimal_number():
    events, law, terms, until = history(5)
    units = computed(events, law, terms, until).units
    assert Fraction(units) * 10**7 == int(units * 10**7)
