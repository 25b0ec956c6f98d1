"""The policy of each hold reason: the actions it blocks, its length, its review date and whether it needs approval."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Q

from collection.models import Hold
from ddc.common.days import AgencyToday
from debtors import calendars

Reason = Hold.Reason


class Block(StrEnum):
    """An action that a hold can block."""

    CONTACT = "contact"
    STRATEGY = "strategy"
    PAYMENT_REQUESTS = "payment_requests"
    INTEREST = "interest"


_COLLECTION = frozenset({Block.CONTACT, Block.STRATEGY, Block.PAYMENT_REQUESTS})
_ALL = frozenset(Block)
_NOTHING: frozenset[Block] = frozenset()


@dataclass(frozen=True)
class ReasonPolicy:
    """The policy of one reason.

    :param blocks: the default blocks
    :param required_blocks: the blocks that the law requires
    :param length_days: the length that the law sets
    :param review_after_days: the days from the start until the first review
    :param ends_with_treatment: the law sets the end when the treatment ends; until then the hold is open-ended
    :param needs_approval: the agency's own judgement, so a supervisor approves it; the hold is active while it waits
    :param nations: the parts of the United Kingdom where its debtors live, by ISO 3166-2 code; empty: anywhere
    :param is_manual: agents open and end it; otherwise a deferral or a dispute does
    """

    blocks: frozenset[Block] = _COLLECTION
    required_blocks: frozenset[Block] = _NOTHING
    length_days: int | None = None
    review_after_days: int | None = None
    ends_with_treatment: bool = False
    needs_approval: bool = False
    nations: frozenset[str] = frozenset()
    is_manual: bool = True

    @property
    def length_is_fixed(self) -> bool:
        """Whether the law sets the end date."""
        return self.length_days is not None or self.ends_with_treatment

    def end_for(self, starts_on: date) -> date | None:
        """Return the first day without the hold if the law sets its length."""
        return calendars.later(starts_on, days=self.length_days) if self.length_days else None

    def review_for(self, starts_on: date) -> date | None:
        """Return the date of the first review."""
        return calendars.later(starts_on, days=self.review_after_days) if self.review_after_days else None


#: The nations of SI 2020/1311.
ENGLAND_AND_WALES = frozenset({"ENG", "WLS"})
#: How long a mental-health moratorium lasts after the treatment (SI 2020/1311, reg. 32).
AFTER_TREATMENT = timedelta(days=30)

POLICIES: dict[Reason, ReasonPolicy] = {
    Reason.DEFERRAL: ReasonPolicy(is_manual=False),
    Reason.DISPUTE: ReasonPolicy(required_blocks=_COLLECTION, is_manual=False),
    # SI 2020/1311, reg. 7 (interest, fees, enforcement and contact about the debt), reg. 26 (60 days including the first),
    # reg. 27 (the adviser's midway review, from the 25th to the 35th day).
    Reason.MORATORIUM: ReasonPolicy(
        blocks=_ALL, required_blocks=_ALL, length_days=60, review_after_days=34, nations=ENGLAND_AND_WALES
    ),
    # SI 2020/1311, reg. 32 (the treatment and 30 days), reg. 33 (asked about every 20 to 30 days).
    Reason.MENTAL_HEALTH_MORATORIUM: ReasonPolicy(
        blocks=_ALL, required_blocks=_ALL, review_after_days=30, ends_with_treatment=True, nations=ENGLAND_AND_WALES
    ),
    # Bankruptcy (Scotland) Act 2016, s. 195-198: six months, extended while an application is decided; the dates are the
    # register's. It stops diligence; we stop contact too.
    Reason.SCOTTISH_MORATORIUM: ReasonPolicy(
        required_blocks=frozenset({Block.STRATEGY}), review_after_days=180, nations=frozenset({"SCT"})
    ),
    # Insolvency (Northern Ireland) Order 1989, Part 7A: the moratorium of a debt relief order, with the order's dates.
    Reason.NORTHERN_IRISH_MORATORIUM: ReasonPolicy(
        blocks=_ALL, required_blocks=_COLLECTION, review_after_days=180, nations=frozenset({"NIR"})
    ),
    # 15 U.S.C. 1692c(c); 12 CFR 1006.6(c).
    Reason.CEASE: ReasonPolicy(required_blocks=_COLLECTION),
    # 12 CFR 1006.6(b)(2): contact goes through the attorney.
    Reason.ATTORNEY: ReasonPolicy(required_blocks=frozenset({Block.CONTACT, Block.STRATEGY}), review_after_days=90),
    # 11 U.S.C. 362(a)(6).
    Reason.BANKRUPTCY: ReasonPolicy(blocks=_ALL, required_blocks=_COLLECTION, review_after_days=90),
    Reason.DECEASED: ReasonPolicy(
        blocks=_ALL, required_blocks=frozenset({Block.CONTACT, Block.STRATEGY}), review_after_days=90
    ),
    # 12 CFR 1006.6(a)(1): the parent or guardian is the person to contact. A supervisor who ends the hold releases the debtor.
    Reason.MINOR: ReasonPolicy(required_blocks=frozenset({Block.CONTACT, Block.STRATEGY}), review_after_days=90),
    # CONC 7.2, 7.10.
    Reason.VULNERABLE: ReasonPolicy(review_after_days=30, needs_approval=True),
    # CONC 7.3.4R, 7.3.11R: forbearance, and time to take debt advice. The debtor's own request opens it (casework/support.py).
    Reason.HARDSHIP: ReasonPolicy(),
    # Messages about the arrangement itself may go; requests for more may not.
    Reason.ARRANGEMENT: ReasonPolicy(
        blocks=frozenset({Block.STRATEGY, Block.PAYMENT_REQUESTS}), review_after_days=30, needs_approval=True
    ),
    Reason.CLIENT_REQUEST: ReasonPolicy(review_after_days=30, needs_approval=True),
    # DISP 1.6.2R: eight weeks for the final response.
    Reason.COMPLAINT: ReasonPolicy(review_after_days=56, needs_approval=True),
}

#: Holds that wait for a supervisor's approval. They are active in the meantime.
AWAITING_APPROVAL = Q(
    reason__in=[reason for reason, policy in POLICIES.items() if policy.needs_approval],
    approved_by__isnull=True,
    ended_at__isnull=True,
)

#: Holds with a review date of today, by the agency's day, or earlier.
DUE_FOR_REVIEW = Q(ended_at__isnull=True, review_on__lte=AgencyToday())
