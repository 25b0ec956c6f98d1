"""The page of a person and of a debt: a head, panels, and the actions that come back to it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from unfold.decorators import action

from casework import claims, follow_ups, notes
from casework.admin.follow_ups import FollowUpForm
from casework.admin.notes import NoteForm
from casework.admin.person import arranging, header, paying, payment_link, verifying, writing
from casework.admin.person.panels import DEBT, PERSON, EditPanel, Panel
from casework.admin.person.view import View
from casework.models import WorkClaim
from collection.admin.debts import DebtAdmin
from collection.models import Debt
from ddc.common.admin.editing import DomainAdmin
from debtors.admin import DebtorAdmin
from debtors.models import Debtor


class CasePage(DomainAdmin):
    """A change page with a head and panels; the panel of the query's ``panel`` is shown, and the form in its own."""

    change_form_template = "casework/page.html"
    warn_unsaved_form = True
    panels: tuple[Panel, ...] = ()

    def case_of(self, obj: Any) -> tuple[Debtor, Debt | None]:
        """Return the person of a row, and the debt if the page is about one."""
        raise NotImplementedError

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            context |= self._case(request, obj)
            # The page has buttons of its own for these.
            own = {button.url.partition("?")[0] for button in context["case"].buttons} | {context["case"].arrange_url}
            offered = context.get("actions_detail") or ()
            context |= {"actions_detail": (), "more_actions": [each for each in offered if each["path"] not in own]}
        answer = super().render_change_form(request, context, *args, **kwargs)
        if obj is not None:
            answer.context_data["listings"] = context.get("listings", ())
        return answer

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Return to the page, not to the list of all rows."""
        return HttpResponseRedirect(self.page_of(obj.pk))

    def _case(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        moment = now()
        debtor, debt = self.case_of(obj)
        agent: Any = request.user
        head = header.read(debtor, debt, by=agent, now=moment)
        view = View(request, debtor, debt, head, _others_claim(request, debtor), moment)
        offered = [panel for panel in self.panels if panel.is_for(view)]
        shown = _chosen(request, offered)
        return {
            "case": view,
            "head": head,
            "panels": offered,
            "panel": shown,
            "is_form": isinstance(shown, EditPanel),
            **shown.context(view),
        }


def _chosen(request: HttpRequest, offered: Sequence[Panel]) -> Panel:
    """Return the panel to show: a form that was refused is shown again."""
    if request.method == "POST":
        return next(panel for panel in offered if isinstance(panel, EditPanel))
    query: Any = request.GET
    return next((panel for panel in offered if panel.slug == query.get("panel", "")), offered[0])


def _others_claim(request: HttpRequest, debtor: Debtor) -> WorkClaim | None:
    """Claim the person for those who may work on it; return another agent's claim that is in force."""
    agent: Any = request.user
    if not agent.has_perm("casework.add_note"):
        found = claims.in_force(claims.type_of(debtor), [debtor.pk], now=now()).get(debtor.pk)
    else:
        found = claims.claim(debtor, by=agent, now=now())
    return found if found and found.agent_id != agent.pk else None


# The lists and forms are the debtors' and the debts' own; these classes add the pages, which show rows of many apps.
admin.site.unregister([Debtor, Debt])


@admin.register(Debtor)
class PersonAdmin(CasePage, DebtorAdmin):
    """The page of a person."""

    actions_detail = (
        *DebtorAdmin.actions_detail,
        "note",
        "follow_up",
        "pay",
        "payment_link",
        "write",
        "arrange",
        "verify",
    )
    readonly_fields = (*DebtorAdmin.readonly_fields, "hidden_birth_date")
    panels = PERSON

    def case_of(self, obj: Any) -> tuple[Debtor, Debt | None]:
        return obj, None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the birth date out until the agent has checked who is calling."""
        found = super().get_fieldsets(request, obj)
        if obj is None or verifying.may_see_birth_date(request, obj):
            return found
        (title, names), *rest = found
        names = {**names, "fields": tuple("hidden_birth_date" if each == "dob" else each for each in names["fields"])}
        return ((title, names), *rest)

    @admin.display(description="Date of birth")
    def hidden_birth_date(self, debtor: Debtor) -> SafeString:
        page = reverse("admin:debtors_debtor_verify", args=[debtor.pk])
        return format_html('Hidden until you have verified who is calling. <a href="{}">Verify identity</a>', page)

    def has_verify_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("casework.add_note")

    @action(description="Verify identity", permissions=["verify"])  # type: ignore[untyped-decorator]
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return verifying.page(self, request, object_id)

    def has_note_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("casework.add_note")

    def has_follow_up_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("casework.add_followup")

    def has_pay_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("payments.add_payment")

    @action(description="Add a note", permissions=["note"])  # type: ignore[untyped-decorator]
    def note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Add a note", "The note is saved."
        return self.step(request, object_id, NoteForm, notes.write, title=title, button="Save note", done=done)

    @action(description="Set a follow-up", permissions=["follow_up"])  # type: ignore[untyped-decorator]
    def follow_up(self, request: HttpRequest, object_id: str) -> HttpResponse:
        agent: Any = request.user
        initial = {"debt": request.GET.get("debt")}
        form = FollowUpForm(self.one(request, object_id), agent, request.POST or None, initial=initial)
        title, done = "Set a follow-up", "The follow-up is set."
        return self.step(request, object_id, form, follow_ups.set_for, title=title, button="Save follow-up", done=done)

    def has_arrange_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm(arranging.PERMISSION)

    @action(description="Arrangement", permissions=["arrange"])  # type: ignore[untyped-decorator]
    def arrange(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return arranging.page(self, request, object_id)

    def has_write_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        agent: Any = request.user
        return writing.may_write(agent)

    @action(description="Write", permissions=["write"])  # type: ignore[untyped-decorator]
    def write(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return writing.page(self, request, object_id)

    @action(description="Record a payment", permissions=["pay"])  # type: ignore[untyped-decorator]
    def pay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        initial = {"debt": request.GET.get("debt")}
        return self.do_to_one(
            request,
            object_id,
            paying.PaymentForm(self.one(request, object_id), request.POST or None, initial=initial),
            lambda _, fields: paying.record(request, fields),
            title="Record a payment",
            button="Record payment",
            done="The payment is recorded.",
        )

    def has_payment_link_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("payments.add_payment")

    @action(description="Payment link", permissions=["payment_link"])  # type: ignore[untyped-decorator]
    def payment_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return payment_link.page(self, request, object_id)


@admin.register(Debt)
class DebtCaseAdmin(CasePage, DebtAdmin):
    """The page of a debt. Calls, notes, follow-ups and payments are those of its person."""

    panels = DEBT

    def case_of(self, obj: Any) -> tuple[Debtor, Debt | None]:
        return obj.debtor, obj
