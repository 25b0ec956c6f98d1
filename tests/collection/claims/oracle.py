"""A second account of a claim, day by day with fractions and whole cents. It shares no code with ``collection.claims``."""

from datetime import date, timedelta
from fractions import Fraction

ORDER = {
    "BGB_367": [["costs"], ["fees"], ["interest"], ["principal"]],
    "BGB_497_3": [["costs"], ["fees"], ["principal"], ["interest"]],
    "NL_6_44": [["costs"], ["fees"], ["interest"], ["principal"]],
    "FR_1343_1": [["interest"], ["costs"], ["fees"], ["principal"]],
    "US_RULE": [["interest"], ["principal"], ["costs"], ["fees"]],
    "UK_COMMON": [["interest"], ["principal"], ["costs"], ["fees"]],
    "PRINCIPAL_FIRST": [["principal"], ["interest"], ["costs"], ["fees"]],
    "PRO_RATA": [["principal", "interest", "costs", "fees"]],
}
DEBTOR_DIRECTS = {"US_RULE", "UK_COMMON", "PRINCIPAL_FIRST", "PRO_RATA"}
PARTS = ["principal", "interest", "costs", "fees"]
RANK = {"charge": 1, "payment": 2, "refund": 3, "adjustment": 4}


def order_of(law, direction):
    if law not in DEBTOR_DIRECTS:
        return ORDER[law]
    first = []
    for part in direction:
        if [part] not in first:
            first.append([part])
    rest = [[part for part in step if [part] not in first] for step in ORDER[law]]
    return first + [step for step in rest if step]


def pay(cents, owed, order):
    """Return how many cents go to each part."""
    got = dict.fromkeys(PARTS, 0)
    for step in order:
        total = sum(owed[part] for part in step)
        if cents >= total:
            for part in step:
                got[part] = owed[part]
            cents -= total
            continue
        for part in step:
            got[part] = cents * owed[part] // total
        over = cents - sum(got[part] for part in step)
        for part in sorted(step, key=lambda part: -owed[part]):
            while over and got[part] < owed[part]:
                got[part] += 1
                over -= 1
        break
    return got


def days_of_360(day):
    return 360 * day.year + 30 * day.month + min(day.day, 30)


def part_of_year(day, count):
    """Return which part of a year the night after a day is."""
    if count == "act/365":
        return Fraction(1, 365)
    if count == "act/act":
        leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        return Fraction(1, 366 if leap else 365)
    return Fraction(days_of_360(day + timedelta(days=1)) - days_of_360(day), 360)


def percent_on(day, rates):
    found = None
    for since, percent in rates:
        if since <= day:
            found = percent
    return found


def is_anniversary(day, since):
    if day.year <= since.year:
        return False
    if (since.month, since.day) == (2, 29):
        try:
            return day == date(day.year, 2, 29)
        except ValueError:
            return day == date(day.year, 3, 1)
    return (day.month, day.day) == (since.month, since.day)


class Book:
    """The parts owed in cents, and each payment's part and rest."""

    def __init__(self, law):
        self.law = law
        self.owed = dict.fromkeys(PARTS, 0)
        self.splits, self.rest, self.covered, self.directions = {}, {}, {}, {}
        self.waiting = []

    def move(self, key, part, cents):
        self.owed[part] += cents
        self.splits[key][part] += cents

    def cover(self, key):
        got = pay(self.rest[key], self.owed, order_of(self.law, self.directions[key]))
        for part, cents in got.items():
            self.move(key, part, -cents)
            self.covered[key][part] += cents
            self.rest[key] -= cents

    def do(self, event):
        key = event["id"]
        self.splits[key] = dict.fromkeys(PARTS, 0)
        self.rest[key] = 0
        if event["kind"] == "payment":
            self.directions[key] = event["direction"]
            self.covered[key] = dict.fromkeys(PARTS, 0)
            self.rest[key] = event["amount"] - event["returned"]
            self.waiting.append(key)
            self.cover(key)
        elif event["kind"] == "refund":
            paid = event["refers_to"]
            from_rest = min(self.rest[paid], event["amount"])
            self.rest[paid] -= from_rest
            order = order_of(self.law, self.directions[paid])[::-1]
            for part, cents in pay(event["amount"] - from_rest, self.covered[paid], order).items():
                self.move(key, part, cents)
                self.covered[paid][part] -= cents
            for payment in self.waiting:
                self.cover(payment)
        else:
            self.change(key, event["split"])

    def change(self, key, split):
        for part in PARTS:
            self.move(key, part, max(split[part], 0))
        over = 0
        for part in PARTS:
            wanted = max(-split[part], 0)
            fits = min(wanted, self.owed[part])
            self.move(key, part, -fits)
            over += wanted - fits
        got = pay(over, self.owed, ORDER[self.law])
        for part, cents in got.items():
            self.move(key, part, -cents)
        self.rest[key] = over - sum(got.values())
        if any(split[part] > 0 for part in PARTS):
            for payment in self.waiting:
                self.cover(payment)


def run(events, law, terms, until):
    """Return parts owed, interest so far, splits and rests, in cents. ``terms``: None, or a dictionary."""
    book = Book(law)
    by_day = {}
    for event in events:
        if event["kind"] != "opening" and event["day"] <= until:
            by_day.setdefault(event["day"], []).append(event)
    for event in sorted((event for event in events if event["kind"] == "opening"), key=lambda event: event["id"]):
        book.do(event)
    exact, posted, capital = Fraction(0), 0, 0
    day = min([until, *by_day, *([terms["since"]] if terms else [])])
    while True:
        if terms:
            whole = int(exact * 2 + 1) // 2  # Half up; exact is in cents.
            book.owed["interest"] += whole - posted
            posted = whole
            is_known = terms["known_until"] is None or day <= terms["known_until"]
            if terms["yearly"] and is_known and is_anniversary(day, terms["since"]):
                capital = posted
        for event in sorted(by_day.get(day, []), key=lambda event: (RANK[event["kind"]], event["id"])):
            book.do(event)
        if day == until:
            return book.owed, posted, book.splits, book.rest
        if terms:
            exact += one_night(day, book.owed, posted, capital, terms)
        day += timedelta(days=1)


def one_night(day, owed, posted, capital, terms):
    percent = percent_on(day, terms["rates"])
    stopped = any(since <= day and (end is None or day < end) for since, end in terms["stops"])
    unknown = terms["known_until"] is not None and day >= terms["known_until"]
    if day < terms["since"] or percent is None or stopped or unknown:
        return 0
    base = owed["principal"] + (owed["costs"] if terms["on_costs"] else 0)
    of_past_years = owed["interest"] - (posted - capital)
    base += max(0, min(of_past_years, capital))
    return base * Fraction(percent) / 100 * part_of_year(day, terms["day_count"])
