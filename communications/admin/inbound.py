"""The back office's pages of inbound messages, each with its thread; an agent marks them as read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.decorators import action
from unfold.enums import ActionVariant

from collection import search
from communications.admin.text import as_written
from communications.callbacks import replies
from communications.models import CommunicationLog, InboundMessage
from communications.notices.written import CHANNELS, TEMPLATE_RIGHT
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import column, when
from ddc.common.admin.workflow import OpenFilter, WorklistAdmin, offered


def message_listing(messages: QuerySet[CommunicationLog], **filters: Any) -> Listing:
    """List a debtor's or a debt's messages on its page."""
    columns: dict[str, Any] = {
        "Type": lambda message: message.get_communication_type_display(),
        "Subject": lambda message: message.subject or "-",
        "Status": lambda message: message.get_status_display(),
        "Time": lambda message: when(message.sent_at or message.created_at),
    }
    return listing("Messages", messages.defer("body", "html"), columns, **filters)


def thread_listing(title: str, messages: QuerySet[CommunicationLog], **filters: Any) -> Listing:
    """List messages of a thread, the newest first."""
    columns = {
        "Time": lambda message: when(message.created_at),
        "From": lambda message: "Debtor" if message.direction == CommunicationLog.Direction.INBOUND else "Us",
        "Text": lambda message: Truncator(message.body or message.subject or "-").chars(120),
        "Read": lambda message: "-" if message.direction != "inbound" else "yes" if message.read_at else "no",
    }
    return listing(title, messages.defer("html").order_by("-created_at", "-id"), columns, **filters)


def answer_url(message: CommunicationLog) -> str:
    """Return the page on which an agent answers a message of a known debtor."""
    return f"{reverse('admin:debtors_debtor_write', args=[message.debtor_id])}?reply={message.pk}"


class UnreadFilter(OpenFilter):
    """Show unread messages by default."""

    title = "read"
    parameter_name = "read"
    field = "read_at"
    still_open, done = "Unread", "Read"


@admin.register(InboundMessage)
class InboundMessageAdmin(WorklistAdmin):
    """Messages from debtors."""

    list_display = (
        "created_at",
        "debtor",
        "communication_type",
        "address",
        "excerpt",
        "asks_for",
        "unread",
        "answer_link",
    )
    list_filter = (UnreadFilter, "asks_for", "communication_type", "created_at")
    list_select_related = ("debtor",)
    search_fields = ("address",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, part of a reference, or an id"
    empty_text = "Replies of debtors to messages arrive here."
    actions = ("mark_read_selected",)
    actions_detail = ("answer", "mark_read")
    actionable = Q(read_at__isnull=True)
    deferred = ("html",)
    fields = (
        ("debtor", "debt"),
        ("communication_type", "address"),
        ("created_at", "replies_to"),
        "asks_for",
        "subject",
        "text",
        ("read_at", "read_by"),
        ("outcome", "outcome_notes"),
    )

    def search_filter(self, text: str) -> Q:
        return search.of_debtor_or_address(text)

    unread = admin.display(description="Unread", boolean=True)(lambda _page, message: message.read_at is None)
    excerpt = column("Text", lambda message: Truncator(message.body or message.subject or "-").chars(70))
    text = column("Text", lambda message: as_written(message.body or "-"))

    @admin.display(description="In reply to")
    def replies_to(self, message: InboundMessage) -> str:
        sent = message.in_reply_to
        if sent is None:
            return "-"
        return link(
            sent,
            f"{sent.subject or sent.get_communication_type_display()}, {when(sent.sent_at or sent.created_at)}",
        )

    def listings(self, request: HttpRequest, obj: InboundMessage) -> list[Listing]:
        root = obj.in_reply_to_id or obj.pk
        return [thread_listing("Thread", replies.thread(obj), in_reply_to__id__exact=root)]

    has_read_permission = offered(Q(), "communications.read_inboundmessage")

    has_answer_permission = offered(Q(debtor__isnull=False, communication_type__in=CHANNELS), TEMPLATE_RIGHT)

    @admin.display(description="Answer")
    def answer_link(self, message: InboundMessage) -> str:
        if message.debtor_id is None or message.communication_type not in CHANNELS or message.read_at:
            return "-"
        return format_html('<a class="underline" href="{}">Answer</a>', answer_url(message))

    @action(description="Answer", permissions=["answer"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def answer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(answer_url(self.one(request, object_id)))

    @admin.action(description="Mark as read", permissions=["read"])
    def mark_read_selected(self, request: HttpRequest, queryset: QuerySet[InboundMessage]) -> None:
        self.each_selected(request, queryset, replies.mark_read, done="marked as read")

    @action(description="Mark as read", permissions=["read"])  # type: ignore[untyped-decorator]
    def mark_read(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title, done = "Mark this message as read?", "The message is marked as read."
        return self.step(
            request, object_id, forms.Form, replies.mark_read, title=title, button="Mark as read", done=done
        )
