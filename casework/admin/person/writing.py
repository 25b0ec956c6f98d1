"""Write to a person: a template or free text, as they will get it, with the contact gate's answer for now and later."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from agents.models import Agent
from casework.admin import work
from casework.admin.words import Clocks
from collection.models import Debt, DebtStatus
from communications.admin.text import as_written, framed
from communications.callbacks import replies
from communications.models import CommunicationLog, CommunicationTemplate
from communications.notices import decisions, written
from communications.notices.preview import MessagePreview, preview_of
from communications.notices.written import CHANNELS, FREE_TEXT_RIGHT, TEMPLATE_RIGHT, Draft
from communications.outbox.outbox import AlreadyQueued
from communications.texts import placeholders, templates, wording
from contact.engine.decision import Decision, Verdict
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import ReferenceField, add_refusal
from ddc.common.admin.pages import when
from ddc.common.errors import DomainError, Forbidden
from ddc.common.models import uuid7
from ddc.common.reference import languages
from debtors.channels import Channel
from debtors.models import Debtor
from portal import otp

_MOST_DEBTS, _MOST_TEMPLATES = 50, 500
_FREE = "free"
#: Templates of messages that the product sends by itself.
_OWN = {*decisions.NAMES, *otp.TEMPLATES.values(), "opt_out_confirmed"}
#: The header of a request for the preview only.
PREVIEW_HEADER = "X-Preview"


def may_write(agent: Agent) -> bool:
    """Return whether an agent may write to debtors, if only by templates."""
    return agent.has_perm(TEMPLATE_RIGHT) or agent.has_perm(FREE_TEXT_RIGHT)


class WriteForm(forms.Form):
    """A message to the person of a page, or the answer to a message of theirs."""

    text = forms.ChoiceField(label="Message", widget=UnfoldAdminSelectWidget())
    debt = ReferenceField(
        label="About",
        queryset=Debt.objects.none(),
        required=False,
        empty_label="No debt in particular",
        widget=UnfoldAdminSelectWidget(),
    )
    language = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    subject = forms.CharField(max_length=255, required=False, widget=UnfoldAdminTextInputWidget())
    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "maxlength": written.MAX_BODY}),
    )
    asks_for_payment = forms.BooleanField(
        label="The text asks for payment",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="Such a text does not go while payment requests are held, or during the validation period.",
    )

    def __init__(self, debtor: Debtor, agent: Agent, reply: CommunicationLog | None, data: Any) -> None:
        self.debtor, self.reply = debtor, reply
        self.key = _read_key(data.get("key", ""))
        super().__init__(data)
        fields: dict[str, Any] = self.fields
        fields["text"].choices = list(_texts(agent, Channel(reply.communication_type) if reply else None))
        if not self.data.get("text"):
            self.data = {
                **self.data,
                "text": next((value for _, some in fields["text"].choices for value, _ in some), ""),
            }
        preferred = debtor.language_preference
        theirs = f"Theirs: {languages.name(preferred) if preferred else 'English (none is set)'}"
        fields["language"].choices = [("", theirs), *((code, languages.name(code)) for code in wording.WORDING)]
        fields["debt"].queryset = Debt.objects.filter(debtor=debtor)
        rows = fields["debt"].queryset.select_related("creditor").order_by("-current_balance", "-id")[:_MOST_DEBTS]
        fields["debt"].widget.choices = [
            ("", fields["debt"].empty_label),
            *((debt.pk, f"{debt}, {debt.creditor}") for debt in rows),
        ]

    @property
    def is_free_text(self) -> bool:
        return str(self.data.get("text", "")).startswith(_FREE)

    @property
    def is_mail(self) -> bool:
        return str(self.data.get("text", "")).rpartition(":")[2] == Channel.EMAIL

    def draft(self) -> Draft:
        """Return what a valid form asks for."""
        fields = self.cleaned_data
        name, _, channel = fields["text"].rpartition(":")
        language = fields["language"] or None
        template = None
        if name != _FREE:
            template = templates.named(name, Channel(channel), language=language or self.debtor.language_preference)
        return Draft(
            channel=Channel(channel),
            debt=fields["debt"],
            template=template,
            subject=fields["subject"],
            body=fields["body"],
            language=language,
            asks_for_payment=fields["asks_for_payment"],
            reply=self.reply,
            key=self.key,
        )


@dataclass(frozen=True)
class Shown:
    """The preview: a message with the gate's answer, or why there is none."""

    message: MessagePreview | None = None
    problem: str = ""
    clocks: Clocks | None = None
    now: datetime | None = None

    @property
    def text(self) -> Any:
        assert self.message is not None
        html = self.message.text.html
        return framed(html) if html else as_written(self.message.text.body)

    @property
    def decision(self) -> Decision:
        assert self.message is not None
        return self.message.contact.decision

    @property
    def reasons(self) -> list[str]:
        return list(dict.fromkeys(reason.text for reason in self.decision.reasons))

    @property
    def may_ever_go(self) -> bool:
        return self.decision.verdict != Verdict.DENY

    @property
    def language(self) -> str:
        assert self.message is not None
        return languages.name(self.message.language) if self.message.language else ""

    @property
    def next_time(self) -> str:
        assert self.message is not None
        assert self.clocks is not None
        assert self.now is not None
        at = self.message.contact.next_at or self.decision.until
        return self.clocks.from_then(at, now=self.now) if at else ""


def page(admin: DomainAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the form and its preview; send the message if it was asked for and is allowed."""
    debtor, moment = admin.one(request, object_id), now()
    agent: Any = request.user
    reply = _reply(request, debtor)
    entered = request.POST.dict() if request.method == "POST" else _initial(debtor, reply) | request.GET.dict()
    form = WriteForm(debtor, agent, reply, entered)
    back = admin.back_to(request) or admin.page_of(debtor.pk)
    wanted, draft = request.POST.get("send"), form.draft() if form.is_valid() else None
    if wanted and draft:
        try:
            done = _send(
                draft,
                debtor,
                agent,
                seen=_read_time(request.POST.get("seen")),
                when_allowed=wanted == "later",
                now=moment,
            )
        except AlreadyQueued as again:
            admin.message_user(request, again.message, messages.WARNING)
            return HttpResponseRedirect(back)
        except DomainError as refusal:
            add_refusal(form, refusal)
            if reply:
                reply.refresh_from_db()
        else:
            admin.message_user(request, done, messages.SUCCESS)
            return HttpResponseRedirect((work.next_after(request, reply) if reply else "") or back)
    context = {
        **admin.admin_site.each_context(request),
        "title": f"{'Answer' if reply else 'Write to'} {debtor}",
        "opts": admin.opts,
        "debtor": debtor,
        "form": form,
        "is_refused": bool(wanted),
        "shown": _show(draft, debtor, agent, moment) if draft else Shown(problem=_errors(form)),
        "reply": reply,
        "handled": replies.how_handled(reply) if reply and reply.read_at else "",
        "back": back,
        "placeholders": placeholders.CATALOGUE,
    }
    only_preview = request.headers.get(PREVIEW_HEADER)
    return TemplateResponse(request, "casework/write_preview.html" if only_preview else "casework/write.html", context)


def _send(
    draft: Draft, debtor: Debtor, agent: Agent, *, seen: datetime | None, when_allowed: bool, now: datetime
) -> str:
    """Queue a message, and return what the agent is told."""
    message = written.message_of(draft, debtor, by=agent)
    options: dict[str, Any] = {"when_allowed": when_allowed, "problem": preview_of(message, now=now).problem}
    if draft.reply:
        decision = replies.answer(draft.reply, message, seen=seen, by=agent, now=now, **options)
    else:
        decision = written.send(message, now=now, **options)
    if decision.verdict == Verdict.POSTPONE and decision.until:
        return f"The message waits until it is allowed: {when(decision.until)}."
    return "The message is on its way."


def _errors(form: WriteForm) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


def _show(draft: Draft, debtor: Debtor, agent: Agent, moment: datetime) -> Shown:
    try:
        found = preview_of(written.message_of(draft, debtor, is_complete=False, by=agent), now=moment)
    except DomainError as refusal:
        return Shown(problem=refusal.message)
    return Shown(found, found.problem, Clocks.of(found.contact.facts.zones), moment)


def _texts(agent: Agent, only: Channel | None) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """Yield what the agent may send, in groups: free text first, then templates by channel."""
    channels = [channel for channel in CHANNELS if only in (None, channel)]
    if agent.has_perm(FREE_TEXT_RIGHT):
        yield "Free text", [(f"{_FREE}:{channel.value}", f"{channel.label} in my words") for channel in channels]
    if agent.has_perm(TEMPLATE_RIGHT):
        rows = CommunicationTemplate.objects.filter(is_active=True, communication_type__in=channels).exclude(
            name__in=_OWN
        )
        names = list(rows.order_by("name").values_list("communication_type", "name").distinct()[:_MOST_TEMPLATES])
        for channel in channels:
            if of_channel := [(f"{name}:{channel.value}", name) for kind, name in names if kind == channel]:
                yield f"{channel.label} templates", of_channel


def _initial(debtor: Debtor, reply: CommunicationLog | None) -> dict[str, Any]:
    if reply:
        about = {
            "debt": str(reply.debt_id or ""),
            "text": f"{_FREE}:{reply.communication_type}",
            "asks_for_payment": "on",
        }
        return about | {"subject": written.subject_of_answer(reply)}
    due_first = Debt.objects.open().filter(debtor=debtor).exclude(current_status=DebtStatus.DISPUTED)
    debt = due_first.order_by("due_date", "created_at").values_list("pk", flat=True).first()
    return {"debt": str(debt or ""), "asks_for_payment": "on"}


def _reply(request: HttpRequest, debtor: Debtor) -> CommunicationLog | None:
    """Return the debtor's message that the query's ``reply`` names."""
    given = request.GET.get("reply")
    if not given:
        return None
    inbound = CommunicationLog.Direction.INBOUND
    rows = CommunicationLog.objects.filter(debtor=debtor, direction=inbound, communication_type__in=CHANNELS)
    found = rows.filter(pk=_read_key(given)).select_related("debt", "read_by").first()
    if found is None:
        raise Http404
    return found


def _read_key(text: str) -> uuid.UUID:
    with suppress(ValueError):
        return uuid.UUID(text)
    return uuid7()


def _read_time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Forbidden("This page is damaged. Load it again.") from None
