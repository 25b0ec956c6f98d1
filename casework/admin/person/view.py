"""One request for a person's page: what its head and panels are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from casework.admin.follow_ups import FollowUpForm
from casework.admin.notes import NoteForm
from casework.admin.person.header import Head
from casework.admin.person.writing import may_write
from casework.models import WorkClaim
from collection.models import Debt, Dispute
from collection.models.holds import Hold
from communications.admin import recorded_calls
from contact.models import ContactPreference
from ddc.common.admin.listings import adding
from ddc.common.days import agency_today
from debtors.models import Debtor
from portal import viewing_admin


@dataclass(frozen=True)
class Button:
    """An action of the page with its key. ``opens`` is the id of a form on the page; without JavaScript its URL is followed."""

    label: str
    icon: str
    key: str
    url: str
    opens: str = ""


@dataclass(frozen=True)
class View:
    """A person's page, or with ``debt`` the page of one debt, as one agent sees it."""

    request: HttpRequest
    debtor: Debtor
    debt: Debt | None
    head: Head
    #: Another agent's claim on the person; None if nobody else works on it.
    claim: WorkClaim | None
    now: datetime

    @property
    def today(self) -> date:
        return agency_today(self.now)

    @property
    def claimed_at(self) -> str:
        return f"{self.claim.claimed_at.astimezone(self.head.clocks.ours):%H:%M}" if self.claim else ""

    def may(self, permission: str) -> bool:
        return bool(self.request.user.has_perm(permission))

    @property
    def about(self) -> dict[str, Any]:
        """The query of forms that are filled in for this page, and come back to it."""
        return {"debt": self.debt.pk, "back": self.url} if self.debt else {}

    @property
    def arrange_url(self) -> str:
        """Where the form of an arrangement is sent."""
        return self._page("arrange")

    @property
    def url(self) -> str:
        """The page itself."""
        row = self.debt or self.debtor
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

    @property
    def may_verify(self) -> bool:
        return self.may("casework.add_note")

    @property
    def verify_url(self) -> str:
        """The page on which the agent checks who is calling."""
        return self._page("verify")

    @property
    def buttons(self) -> list[Button]:
        """The actions that the agent may do, always in this order."""
        found = []
        if recorded_calls.may_record(self.request):
            found.append(Button("Call", "call", "C", self._page("record_call")))
        if self.may_verify:
            found.append(Button("Verify identity", "badge", "V", self.verify_url))
        agent: Any = self.request.user
        if may_write(agent):
            found.append(Button("Write", "edit_square", "W", self._page("write")))
        if self.may("payments.add_payment"):
            found.append(Button("Record payment", "payments", "P", self._page("pay")))
        if self.may("arrangements.add_arrangement"):
            found.append(Button("Arrangement", "handshake", "A", f"{self.url}?panel=arrange", opens="arrange-form"))
        if self.may("casework.add_note"):
            found.append(Button("Note", "edit_note", "T", self._page("note"), opens="note-form"))
        if self.may("casework.add_followup"):
            found.append(Button("Follow-up", "event", "F", self._page("follow_up"), opens="follow-up-form"))
        if self.may("collections.add_hold"):
            on: dict[str, Any] = {"debt": self.debt.pk} if self.debt else {"debtor": self.debtor.pk}
            found.append(Button("Hold", "pause_circle", "H", adding(Hold, **on, back=self.url)))
        return found

    @property
    def more(self) -> list[Button]:
        """The rarer actions, in a menu."""
        found = []
        if self.may("payments.add_payment"):
            found.append(Button("Payment link", "", "", self._page("payment_link")))
        if self.debt and self.debt.is_open and self.may("collections.add_dispute"):
            found.append(Button("Dispute", "", "", adding(Dispute, debt=self.debt.pk, back=self.url)))
        if self.may(viewing_admin.PERMISSION):
            url = reverse("see-as-debtor", args=[self.debtor.pk, "home"])
            found.append(Button("See what the debtor sees", "", "", url))
        if not self.debt and self.may("contact.add_contactpreference"):
            found.append(
                Button("Contact preference", "", "", adding(ContactPreference, debtor=self.debtor.pk, back=self.url))
            )
        return found

    def forms(self, debts: Sequence[Debt]) -> dict[str, Any]:
        """Return the forms of a note and a follow-up, for those who may write them."""
        found: dict[str, Any] = {}
        if self.may("casework.add_note"):
            found["note_form"] = NoteForm(auto_id="note_%s")
        if self.may("casework.add_followup"):
            agent: Any = self.request.user
            initial = {"debt": self.debt} if self.debt else {}
            form = FollowUpForm(self.debtor, agent, debts=debts, initial=initial, auto_id="follow_up_%s")
            found["follow_up_form"] = form
        return found

    def _page(self, action: str) -> str:
        query = f"?{urlencode(self.about)}" if self.about else ""
        return reverse(f"admin:debtors_debtor_{action}", args=[self.debtor.pk]) + query
