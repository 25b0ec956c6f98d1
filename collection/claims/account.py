"""The account of a claim: everything about it follows from its events, in the order of their value dates.

So a payment with an earlier value date, a charge-back that is effective as the original, or a hold that was entered late needs
no procedure of its own: compute the account before and after, and post the differences.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

from collection.claims import allocation, interest
from collection.claims.allocation import CENT, Policy
from collection.claims.components import NAMES, NOTHING, ZERO, Components
from collection.claims.interest import Compounding, Step, Terms


class Kind(IntEnum):
    """The kinds of events. The numbers are the order within a day; interest comes before all of them."""

    OPENING = 0
    CHARGE = 1
    PAYMENT = 2
    REFUND = 3
    ADJUSTMENT = 4


@dataclass(frozen=True)
class Event:
    """One event of a claim.

    :ivar id: unique; orders events of one kind on one day
    :ivar split: of an opening, a charge or an adjustment: by how much it changes each component, signed. A part that would make a
        component negative lowers the others instead, in the order of the policy
    :ivar amount: of a payment or a refund, positive
    :ivar returned: the part of a payment that came back and counts as never made (a charge-back, or a reversal)
    :ivar refers_to: of a refund: the payment that is given back, from the value date of the refund on
    :ivar direction: of a payment: the components that the debtor wants to pay first
    """

    id: Hashable
    kind: Kind
    value_date: date
    amount: Decimal = ZERO
    split: Components = NOTHING
    returned: Decimal = ZERO
    refers_to: Hashable = None
    direction: tuple[str, ...] = ()


@dataclass
class Line:
    """One event's effect.

    :ivar split: the signed change of each component, negative for a payment. With ``excess`` its total is the event's amount
    :ivar excess: the part of a payment that nothing owed could take, by the last day of the account
    :ivar balances: what is owed after it, with the interest until its value date
    :ivar interest: the interest posted until its value date, since the first day
    """

    event: Event
    split: Components = NOTHING
    excess: Decimal = ZERO
    balances: Components = NOTHING
    interest: Decimal = ZERO


@dataclass
class Account:
    """A claim on a day.

    :ivar lines: one for each event, in the order in which they count
    :ivar balances: what is owed, with interest until the day before
    :ivar interest: the interest since the first day, rounded as a whole: the sum of all interest entries
    :ivar units: the same, exact, times ``interest.PER_UNIT``
    :ivar capital: the part of the interest that bears interest, if it is not paid
    :ivar until: the day; interest counts to the day before. Earlier than asked for if no rate is known
    """

    until: date
    lines: list[Line] = field(default_factory=list)
    balances: Components = NOTHING
    interest: Decimal = ZERO
    units: Fraction = Fraction(0)
    capital: Decimal = ZERO

    @property
    def payoff(self) -> Decimal:
        """The amount that closes the claim on the day."""
        return self.balances.total

    @property
    def excess(self) -> Decimal:
        """Money that was paid and not owed."""
        return sum((line.excess for line in self.lines), ZERO)

    def line(self, event_id: Hashable) -> Line:
        return next(line for line in self.lines if line.event.id == event_id)


def compute(
    events: Iterable[Event],
    policy: Policy,
    terms: Terms | None,
    until: date,
    *,
    unit: Decimal = CENT,
) -> Account:
    """Compute the account of a claim on a day: allocation, interest and balances.

    :param events: those with a value date after ``until`` are left out, apart from openings, which count from the beginning
    :param terms: None: no interest
    :param until: interest counts to the day before it
    :param unit: the smallest amount of the currency
    """
    counted = [event for event in events if event.value_date <= until or event.kind == Kind.OPENING]
    counted.sort(key=_order)
    run = _Run(policy, terms, until, unit)
    for event in counted:
        run.apply(event)
    return run.finish()


def _order(event: Event) -> tuple[object, ...]:
    first = date.min if event.kind == Kind.OPENING else event.value_date
    return first, event.kind, str(event.id)


class _Run:
    """One pass over the events."""

    def __init__(self, policy: Policy, terms: Terms | None, until: date, unit: Decimal) -> None:
        self.policy, self.terms, self.unit, self.until = policy, terms, unit, until
        self.account = Account(until=terms.last(until) if terms else until)
        self.day = terms.since if terms else until
        self.years = 0
        #: The payments with a rest that could not be allocated yet.
        self.unallocated: list[Line] = []
        #: The part of each payment that covers something, less what was given back.
        self.paid: dict[Hashable, Components] = {}

    def apply(self, event: Event) -> None:
        if event.kind != Kind.OPENING:
            self._accrue(event.value_date)
        line = Line(event)
        self.account.lines.append(line)
        if event.kind == Kind.PAYMENT:
            self._pay(line, event)
        elif event.kind == Kind.REFUND:
            self._refund(line, event)
        else:
            self._change(line, event.split)
        line.balances, line.interest = self.account.balances, self.account.interest

    def finish(self) -> Account:
        self._accrue(self.until)
        return self.account

    def _pay(self, line: Line, event: Event) -> None:
        amount = event.amount - event.returned
        self.paid[event.id], line.excess = NOTHING, amount
        self._cover(line)
        if line.excess:
            self.unallocated.append(line)

    def _refund(self, line: Line, event: Event) -> None:
        """Give a payment back as if that much less had been paid: first what was not owed, then what it covered last."""
        payment = self.account.line(event.refers_to)
        excess = min(payment.excess, event.amount)
        payment.excess -= excess
        steps = tuple(reversed(allocation.order(self.policy, payment.event.direction)))
        left = self.paid[event.refers_to]
        back = allocation.along(steps, event.amount - excess, left, unit=self.unit)
        self.paid[event.refers_to] = left - back
        self._book(line, back)
        if back:
            self._use_up()

    def _change(self, line: Line, split: Components) -> None:
        """Add what an event brings; lower what is open by the rest."""
        raised = _positive(split)
        self._book(line, raised)
        lowered, open = _positive(-split), self.account.balances
        fits = Components(*(min(lowered.of(name), open.of(name)) for name in NAMES))
        self._book(line, -fits)
        over = self._allocate((lowered - fits).total)
        self._book(line, -over)
        line.excess = (lowered - fits - over).total
        if raised:
            self._use_up()

    def _use_up(self) -> None:
        """Allocate what earlier payments could not, now that more is owed."""
        for line in self.unallocated:
            self._cover(line)
        self.unallocated = [line for line in self.unallocated if line.excess]

    def _cover(self, line: Line) -> None:
        """Allocate the rest of a payment to what is owed."""
        paid = self._allocate(line.excess, line.event.direction)
        self.paid[line.event.id] += paid
        line.excess -= paid.total
        self._book(line, -paid)

    def _allocate(self, amount: Decimal, direction: Sequence[str] = ()) -> Components:
        return allocation.allocate(amount, self.account.balances, self.policy, direction, unit=self.unit)

    def _book(self, line: Line, split: Components) -> None:
        line.split += split
        self.account.balances += split

    def _accrue(self, day: date) -> None:
        """Add the interest until a day, and begin a new year of interest on each anniversary before it."""
        if self.terms is None or not self.terms.rates:
            return
        day = self.terms.last(day)
        if self.terms.compounding == Compounding.ANNIVERSARY:
            while (next_year := interest.anniversary(self.terms.since, self.years + 1)) <= day:
                self._accrue_within_year(next_year)
                self.account.capital = self.account.interest
                self.years += 1
        self._accrue_within_year(day)

    def _accrue_within_year(self, day: date) -> None:
        if self.terms is None or day <= self.day:
            return
        step = Step(self.day, self._base(self.terms))
        self.account.units += interest.units([step], self.terms, self.day, day)
        posted = interest.rounded(self.account.units / interest.PER_UNIT, self.unit)
        self.account.balances = self.account.balances.plus("interest", posted - self.account.interest)
        self.account.interest, self.day = posted, day

    def _base(self, terms: Terms) -> Decimal:
        """Return the sum that bears interest: principal, costs if the terms have it, and unpaid interest of past years.

        Interest is paid in the order in which it arose, so that of past years first.
        """
        balances, account = self.account.balances, self.account
        unpaid = max(balances.interest - (account.interest - account.capital), ZERO)
        past = min(unpaid, account.capital)
        return balances.principal + past + (balances.costs if terms.on_costs else ZERO)


def _positive(split: Components) -> Components:
    return Components(*(max(split.of(name), ZERO) for name in NAMES))
