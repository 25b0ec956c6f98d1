"""The panels of a person's and of a debt's page. Another one is a class with a template, and one line in the list of its page."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Q, Sum, Window
from django.db.models.functions import RowNumber

from arrangements.admin.listings import of_debtor as arrangements_of
from arrangements.models import Arrangement
from audit import admin as audit
from casework.admin import support, timeline
from casework.admin.person import account, arranging
from casework.admin.person.view import View
from casework.admin.timeline.records import entry_words
from casework.admin.words import day, styled, sum_of
from collection.admin import deferrals, disputes, holds
from collection.models import Debt, DeferralRequest, LedgerEntry
from communications.admin import recorded_calls
from communications.models import CommunicationLog
from contact.admin import panel, preferences
from ddc.common.admin.listings import Listing, adding, link, listing
from ddc.common.admin.pages import amount, when
from debtors.models import ContactPoint
from payments.admin import credits, providers
from payments.models import Payment, Refund
from portal.models import DigitalActivity
from strategy import explain

#: So many debts of a person are shown, and so many entries of a debt; lists have the others.
MOST_DEBTS = 20
MOST_ENTRIES = 8
#: The cards beside the timeline. Another card is one more template here.
RAIL = ("casework/rail_debts.html", "casework/rail_follow_ups.html", "casework/rail_contact.html")


class Panel:
    """One panel: its tab, its template, and the values that the template shows."""

    slug: str
    title: str
    template = "casework/listings.html"

    def is_for(self, view: View) -> bool:
        """Return whether the reader may see it."""
        return True

    def context(self, view: View) -> dict[str, Any]:
        """Return the values of the template; called only if the panel is shown."""
        return {"listings": self.listings(view)}

    def listings(self, view: View) -> Sequence[Listing]:
        """Return the tables of a panel that has nothing else."""
        return ()


class TimelinePanel(Panel):
    slug, title, template = "", "Timeline", "casework/timeline.html"

    def context(self, view: View) -> dict[str, Any]:
        debts = _debts(view)
        stream = timeline.read(view.request, view.debtor, view.debt, view.head.clocks, now=view.now)
        return {
            "timeline": stream,
            "days": list(stream.days()),
            "debts": debts[:MOST_DEBTS],
            "more_debts": len(debts) > MOST_DEBTS,
            "rail": RAIL,
            **view.forms(debts),
        }


def _debts(view: View) -> list[Any]:
    """Return the debts beside a person's timeline, those that are open and due first first."""
    rows = Debt.objects.filter(debtor=view.debtor).select_related("creditor").order_by("-current_balance", "-id")
    found: list[Any] = [view.debt] if view.debt else list(rows[: MOST_DEBTS + 1])
    found.sort(key=lambda debt: (not debt.is_open, str(debt.due_date or "9999")))
    for debt in found:
        paid = max(debt.original_balance - debt.current_balance, 0)
        debt.paid, debt.placed = sum_of(paid, debt.currency_code), sum_of(debt.original_balance, debt.currency_code)
        debt.balance = styled(debt.current_balance, debt.currency_code)
        debt.share = round(min(paid / debt.original_balance * 100, 100), 1)
        debt.is_late = (
            debt.is_open and not debt.is_fully_disputed and debt.due_date is not None and debt.due_date < view.today
        )
        debt.due = day(debt.due_date) if debt.due_date else ""
    return found


class DebtsPanel(Panel):
    slug, title, template = "debts", "Debts", "casework/debts.html"

    def context(self, view: View) -> dict[str, Any]:
        debts = _debts(view)[:MOST_DEBTS]
        entries: dict[Any, list[Any]] = {debt.pk: [] for debt in debts}
        # The newest entries of each debt, with its balance after each; a window adds them up in one query.
        balance = Window(Sum("amount"), partition_by=F("debt"), order_by=[F("posted_at").asc(), F("id").asc()])
        rank = Window(RowNumber(), partition_by=F("debt"), order_by=[F("posted_at").desc(), F("id").desc()])
        rows = LedgerEntry.objects.filter(debt__in=entries).annotate(balance=balance, rank=rank)
        for entry in rows.filter(rank__lte=MOST_ENTRIES + 1).order_by("rank").select_related("by"):
            entries[entry.debt_id].append(entry)
        for debt in debts:
            found = entries[debt.pk]
            debt.has_more = len(found) > MOST_ENTRIES
            debt.entries = [_line(entry) for entry in found[:MOST_ENTRIES]]
        may_add = view.debt is None and view.request.user.has_perm("collections.add_debt")
        return {"debts": debts, "add_debt": adding(Debt, debtor=view.debtor.pk) if may_add else None}


class AccountPanel(Panel):
    """The claim account of one debt."""

    slug, title, template = "account", "Claim account", "casework/account.html"

    def context(self, view: View) -> dict[str, Any]:
        assert view.debt is not None
        asked = str(view.request.GET.get("on", ""))
        return account.context(view.debt, asked, today=view.today, user=view.request.user)


def _line(entry: Any) -> dict[str, Any]:
    return {
        "day": day(entry.value_date),
        "words": entry_words(entry.kind, entry.cause),
        "amount": styled(entry.amount, entry.currency_code),
        "balance": styled(entry.balance, entry.currency_code),
        "by": entry.by or "System",
    }


class PaymentsPanel(Panel):
    slug, title = "payments", "Payments"

    def listings(self, view: View) -> list[Listing]:
        columns = {
            "Date": lambda payment: payment.payment_date,
            "Amount": lambda payment: amount(payment.amount, payment.currency_code),
            "Status": lambda payment: payment.get_status_display(),
            "Method": lambda payment: payment.get_payment_method_display(),
        }
        assert view.debt is not None
        add = adding(Payment, debt=view.debt.pk) if view.request.user.has_perm("payments.add_payment") else None
        return [
            listing("Payments", Payment.objects.filter(debt=view.debt), columns, add=add, debt__id__exact=view.debt.pk)
        ]


class CreditsPanel(Panel):
    """The person's money that no debt has taken yet, what of it goes back, and payments at a provider."""

    slug, title = "credits", "Credits"

    def listings(self, view: View) -> list[Listing]:
        whose = Q(credit__debtor=view.debtor) | Q(payment__debt__debtor=view.debtor)
        refunds = credits.refunds_of(Refund.objects.filter(whose))
        return [credits.of_debtor(view.debtor), refunds, providers.of_debtor(view.debtor)]


class RequestsPanel(Panel):
    slug, title = "requests", "Requests and holds"

    def listings(self, view: View) -> list[Listing]:
        request, debt = view.request, view.debt
        if debt:
            asked = deferrals.listing_of(DeferralRequest.objects.filter(debt=debt), debt__id__exact=debt.pk)
            return [asked, disputes.of_debt(request, debt), holds.of_debt(request, debt)]
        of_debtor: dict[str, Any] = {"debtor__id__exact": view.debtor.pk}
        asked = deferrals.listing_of(DeferralRequest.objects.filter(debtor=view.debtor), **of_debtor)
        return [asked, disputes.of_debtor(view.debtor), holds.of_debtor(request, view.debtor)]


class HelpPanel(Panel):
    """Hardship, complaints and documents of the person."""

    slug, title = "help", "Help and documents"

    def listings(self, view: View) -> list[Listing]:
        return [support.of_debtor(view.debtor), support.documents_of(view.debtor)]


class ArrangementsPanel(Panel):
    """Negotiate an arrangement, above those that there are."""

    slug, title, template = "arrange", "Arrangements", "casework/arrange.html"

    def context(self, view: View) -> dict[str, Any]:
        debtor, debt = view.debtor, view.debt
        rows = Arrangement.objects.filter(debtor=debtor)
        found: dict[str, Any] = {
            "listings": [arrangements_of(rows.filter(parts__debt=debt) if debt else rows, q=debtor.pk)]
        }
        if view.may(arranging.PERMISSION):
            # The page asks for the schedule by itself.
            found["arrange_form"] = arranging.ArrangeForm(debtor, None, debt=debt, now=view.now)
            found["arrange_url"] = view.arrange_url
        return found


class StrategyPanel(Panel):
    """The rules of the debt's segment: what each did, does next, or leaves out and why."""

    slug, title, template = "strategy", "Strategy", "casework/strategy.html"

    def is_for(self, view: View) -> bool:
        return view.may("strategy.view_strategyrule")

    def context(self, view: View) -> dict[str, Any]:
        assert view.debt is not None
        plan = explain.plan(view.debt, now=view.now)
        steps = [
            {
                "rule": link(step.rule),
                "trigger": step.trigger,
                "day": day(step.day) if step.day else "-",
                "state": step.state.replace("_", " ").capitalize(),
                "why": link(CommunicationLog(pk=step.message_id), "Message")
                if step.message_id
                else step.explanation or "-",
            }
            for step in plan.steps
        ]
        return {"plan": plan, "steps": steps}


class ContactPanel(Panel):
    slug, title = "contact", "Contact details"

    def listings(self, view: View) -> list[Listing]:
        request, debtor = view.request, view.debtor
        if view.debt:
            previews = panel.of_previews(view.head.previews, debt_id__exact=view.debt.pk)
            return [previews, recorded_calls.of_debt(request, view.debt)]
        of_debtor: dict[str, Any] = {"debtor__id__exact": debtor.pk}
        addresses = {
            "Address": str,
            "Kind": lambda point: point.get_kind_display(),
            "Suppressions": lambda point: ", ".join(point.suppressions) or "-",
            "Sharing": lambda point: point.sharing or "-",
            "Since": lambda point: when(point.created_at),
        }
        activities = {
            "Activity": lambda activity: activity.activity_type,
            "Path": lambda activity: activity.path or "-",
            "Time": lambda activity: when(activity.created_at),
        }
        return [
            panel.of_previews(view.head.previews, debtor_id__exact=debtor.pk),
            listing("Addresses", ContactPoint.objects.filter(debtor=debtor), addresses, **of_debtor),
            preferences.of_debtor(request, debtor),
            recorded_calls.of_debtor(request, debtor),
            listing("Activities", DigitalActivity.objects.filter(debtor=debtor), activities, **of_debtor),
        ]


class EditPanel(Panel):
    """The form of the row. The template has it from Django Admin."""

    slug, title, template = "edit", "Edit details", ""

    def context(self, view: View) -> dict[str, Any]:
        return {}


class AuditPanel(Panel):
    slug, title = "audit", "Audit"

    def is_for(self, view: View) -> bool:
        return audit.may_see(view.request)

    def listings(self, view: View) -> list[Listing]:
        return audit.of_debtor(view.request, view.debtor)


#: The panels in the order of their tabs; the first one is shown at first.
PERSON: tuple[Panel, ...] = (
    TimelinePanel(),
    DebtsPanel(),
    ArrangementsPanel(),
    CreditsPanel(),
    RequestsPanel(),
    HelpPanel(),
    ContactPanel(),
    EditPanel(),
    AuditPanel(),
)
DEBT: tuple[Panel, ...] = (
    TimelinePanel(),
    AccountPanel(),
    PaymentsPanel(),
    ArrangementsPanel(),
    RequestsPanel(),
    StrategyPanel(),
    ContactPanel(),
    EditPanel(),
)
