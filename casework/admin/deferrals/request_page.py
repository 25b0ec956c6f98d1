"""The page of one deferral request."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils.timesince import timesince

from agents.models import Agent
from casework import claims
from casework.admin import work
from casework.admin.deferrals import deciding, facts, history
from casework.admin.deferrals.deciding import DecisionForm, Power
from casework.admin.deferrals.facts import Facts
from casework.admin.words import Clocks, day, styled
from casework.models import WorkClaim
from collection import deferral_limits
from collection.deferral_limits import Reach
from collection.models import DeferralRequest
from ddc.common.reference import languages
from debtors import calendars, zones


@dataclass
class RequestPage:
    """One request as an agent sees it; ``form`` is a decision that was refused."""

    request: HttpRequest
    asked: DeferralRequest
    agent: Agent
    now: datetime
    form: DecisionForm | None

    @cached_property
    def facts(self) -> Facts:
        return facts.read(self.asked.debtor, self.asked.debt, self.asked, now=self.now)

    @cached_property
    def reach(self) -> Reach:
        return deferral_limits.reach_of(self.agent, now=self.now)

    @cached_property
    def power(self) -> Power:
        return deciding.power(self.asked, self.reach)

    @property
    def limits(self) -> str:
        return deciding.limits_in_words(self.reach.within)

    @property
    def is_pending(self) -> bool:
        return self.asked.status == DeferralRequest.Status.PENDING

    @property
    def may_decide(self) -> bool:
        return self.is_pending and self.agent.has_perm(deferral_limits.REVIEW)

    @property
    def may_refuse(self) -> bool:
        return not self.asked.escalated_at or self.agent.has_perm(deferral_limits.DECIDE_ESCALATED)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The values of the form: those entered, or to grant the days as asked, at most those that the agent may grant."""
        if self.form is not None:
            return self.form.cleaned_data
        query = self.request.GET.get("decision", "")
        decision = query if query in deciding.OF_DECISION else deciding.GRANT
        phrase = "" if decision == deciding.GRANT else deciding.OF_DECISION[decision][0]
        days = min(self.asked.days, self.power.most or self.asked.days)
        if decision == deciding.GRANT and days < self.asked.requested_deferral_days:
            phrase = "creditor_allows"
        return {"decision": decision, "days": days, "phrase": phrase, "note": ""}

    @property
    def days(self) -> int:
        return self.fields.get("days") or self.asked.days

    @property
    def choices(self) -> list[int]:
        """The days that can be chosen by one click."""
        most = self.power.most
        return [*(days for days in (14, 30, 60, 90) if days < most), *([most] if most else [])]

    @property
    def phrases(self) -> list[tuple[str, str, str]]:
        may = {"": True, deciding.GRANT: bool(self.power.most), deciding.REFUSE: self.may_refuse, deciding.ASK: True}
        return [each for each in deciding.PHRASES if may[each[2]]]

    @cached_property
    def clocks(self) -> Clocks:
        debtor = self.asked.debtor
        names = ("country_code", "region_state", "city", "postal_code", "mobile_phone")
        return Clocks.of(zones.possible_zones(**{name: getattr(debtor, name) for name in names}))

    @property
    def until(self) -> str:
        """The due date that the days of the form would give."""
        return deciding.in_full(deciding.due_date(self.asked, self.days, now=self.now))

    @property
    def local_time(self) -> str:
        return self.clocks.time(self.now)

    @property
    def asked_at(self) -> str:
        return f"{day(self.asked.created_at)}, {self.clocks.time(self.asked.created_at)}"

    @property
    def waits(self) -> str:
        return facts.waited(self.asked.created_at, self.now)

    @property
    def due(self) -> str:
        """The due date from which the days count: of a decided request that of before."""
        due = self.asked.debt.due_date if self.is_pending else self.asked.due_date_before
        return day(due) if due else "no due date"

    @property
    def new_due(self) -> str:
        """The due date as asked for, or as granted."""
        if self.asked.granted_until:
            return day(self.asked.granted_until)
        return deciding.in_full(deciding.due_date(self.asked, self.asked.requested_deferral_days, now=self.now))

    @property
    def counts_from_today(self) -> bool:
        due = self.asked.debt.due_date
        return self.is_pending and due is not None and due < calendars.today(self.asked.debtor, at=self.now)

    @property
    def balance(self) -> str:
        return styled(self.asked.debt.current_balance, self.asked.debt.currency_code)

    @property
    def language(self) -> str:
        code = self.asked.debtor.language_preference
        return languages.name(code) if code else "English (none is set)"

    @property
    def outcome(self) -> str:
        """Name the reviewer, the decision and its time, for the second of two agents."""
        asked = self.asked
        if self.is_pending or asked.reviewed_at is None:
            return ""
        who = str(asked.reviewer) if asked.reviewer else f"The {asked.closed_by}"
        ago = timesince(asked.reviewed_at, self.now, depth=1)
        if asked.status == DeferralRequest.Status.APPROVED:
            of = f" of {asked.requested_deferral_days}" if asked.days != asked.requested_deferral_days else ""
            return f"{who} granted this {ago} ago ({asked.days}{of} days)."
        return f"{who} {'refused' if asked.reviewer else 'closed'} this {ago} ago."

    @cached_property
    def claim(self) -> WorkClaim | None:
        """Another agent's claim on the request; it is claimed for those who may decide."""
        if not self.may_decide or work.works_on(self.request, self.asked):
            return None
        found = claims.claim(self.asked, by=self.agent, now=self.now)
        return found if found.agent_id != self.agent.pk else None

    @property
    def claimed_at(self) -> str:
        return f"{self.claim.claimed_at.astimezone(self.clocks.ours):%H:%M}" if self.claim else ""

    @property
    def history(self) -> list[tuple[str, str]]:
        ours = self.clocks.ours
        return [
            (f"{day(line.at.astimezone(ours))}, {line.at.astimezone(ours):%H:%M}", line.text)
            for line in history.lines(self.asked)
        ]
