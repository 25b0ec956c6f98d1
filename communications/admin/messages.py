"""The back office's pages of messages and their evidence, and the worklist of uncertain messages."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from collection import search
from communications.admin.inbound import thread_listing
from communications.admin.text import as_written, framed
from communications.channels import email
from communications.models import (
    CommunicationLog,
    MessageAttempt,
    MessageStatus,
    PendingDispatch,
    UncertainMessage,
    UncertainResolution,
)
from communications.sending import evidence, uncertain
from contact.admin import panel
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import ReadOnlyAdmin, column, when
from ddc.common.admin.workflow import WorklistAdmin, offered


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="How you know, or why it is sent again. The reason is stored with the message.",
    )


class MessagePages(WorklistAdmin):
    """The common part of the list of messages and the worklist of uncertain ones."""

    search_fields = ("id",)
    search_help_text = "The debtor's name, e-mail address, phone or postcode, part of a reference, or an id"
    empty_text = "Strategy runs queue messages; one is written on its person's page."
    list_select_related = ("debtor",)
    actions: tuple[str, ...] = ("confirm_selected", "send_again_selected")
    actions_detail = ("confirm", "send_again", "download")
    deferred = ("body", "html", "draft")
    fields = (
        ("status", "communication_type"),
        ("debtor", "debt"),
        ("address", "provider"),
        "failure_reason",
        "resolution",
        "subject",
        "as_sent",
        "text",
        "seal_check",
        ("template", "version"),
        ("sent_at", "delivered_at"),
        ("opened_at", "open_count"),
        ("machine_opened_at", "machine_open_count"),
        ("clicked_at", "complained_at"),
        ("begun_at", "outcome"),
        ("outcome_by", "outcome_notes"),
        ("created_at", "due_at"),
        "expires_at",
        ("purpose", "direction"),
        "provider_message_id",
    )
    visible_if = {
        "as_sent": "html",
        "text": "body",
        "version": "template_version",
        "resolution": "uncertain_resolution",
        "seal_check": "attempts",
    }

    def search_filter(self, text: str) -> Q:
        return search.of_debtor_or_address(text)

    # --- Fields

    text = column("Text", lambda message: as_written(message.body) if message.body else "-")
    as_sent = column("Sent mail", lambda message: framed(message.html) if message.html else "-")
    version = column(
        "Template version",
        lambda message: (
            link(message.template_version, message.template_version.number) if message.template_version else "-"
        ),
    )

    @admin.display(description="Seal")
    def seal_check(self, message: CommunicationLog) -> SafeString | str:
        if not message.seal and not message.attempts:
            return "-"
        problem = evidence.problem(message, message.attempt_rows.all())
        return format_html("<strong>Not valid: {}.</strong>", problem) if problem else "Valid: nothing was changed."

    @admin.display(description="Resolution")
    def resolution(self, message: CommunicationLog) -> SafeString | str:
        made = getattr(message, "uncertain_resolution", None)
        if made is None:
            return "-"
        text = format_html("{} by {}, {}: {}", made, made.by, when(made.at), made.reason)
        if made.replacement_id is None:
            return text
        page = reverse("admin:communications_communicationlog_change", args=[made.replacement_id])
        return format_html('{} <a class="underline" href="{}">New message</a>', text, page)

    def listings(self, request: HttpRequest, obj: CommunicationLog) -> list[Listing]:
        columns = {
            "Attempt": lambda attempt: attempt.number,
            "Began": lambda attempt: when(attempt.began_at, seconds=True),
            "Ended": lambda attempt: when(attempt.ended_at, seconds=True),
            "Provider": lambda attempt: attempt.provider,
            "Result": lambda attempt: attempt.result,
            "Answer": lambda attempt: attempt.answer or attempt.provider_message_id or "-",
        }
        attempts = listing("Attempts", obj.attempt_rows.order_by("-number", "-id"), columns, message__id__exact=obj.pk)
        replies = thread_listing("Replies", obj.replies.all(), in_reply_to__id__exact=obj.pk)
        return [panel.of_message(obj.pk), attempts, replies]

    # --- Permissions

    has_resolve_permission = offered(Q(), "communications.add_uncertainresolution")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        obj = self.get_object(request, str(object_id))
        offered = super().get_actions_detail(request, object_id)
        hidden = set()
        if obj is None or obj.status != MessageStatus.UNCERTAIN:
            hidden |= {"confirm", "send_again"}
        if obj is None or not obj.body:
            hidden.add("download")
        return [button for button in offered if not button.action_name.endswith(tuple(hidden))] if hidden else offered

    # --- One message

    @action(description="Confirm as sent", permissions=["resolve"])  # type: ignore[untyped-decorator]
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._resolve_one(
            request, object_id, uncertain.confirm, title="Confirm as sent", done="The message counts as sent."
        )

    @action(description="Send again", permissions=["resolve"])  # type: ignore[untyped-decorator]
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._resolve_one(
            request, object_id, uncertain.send_again, title="Send again", done="A new message is queued in its place."
        )

    def _resolve_one(self, request: HttpRequest, object_id: str, act: Any, *, title: str, done: str) -> HttpResponse:
        return self.step(request, object_id, ReasonForm, act, title=title, button=title, done=done)

    @action(description="Download .eml")  # type: ignore[untyped-decorator]
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the message as a file for mail programs; the permission to view the message is enough."""
        message = self.one(request, object_id)
        name = f'attachment; filename="message-{message.pk}.eml"'
        content = email.as_file(message)
        return HttpResponse(content, content_type="message/rfc822", headers={"Content-Disposition": name})

    # --- Many messages

    @admin.action(description="Confirm as sent", permissions=["resolve"])
    def confirm_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._resolve_selected(
            request, queryset, uncertain.confirm, "confirm_selected", "Confirm as sent", "count as sent"
        )

    @admin.action(description="Send again", permissions=["resolve"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._resolve_selected(
            request, queryset, uncertain.send_again, "send_again_selected", "Send again", "are sent again"
        )

    def _resolve_selected(
        self, request: HttpRequest, queryset: QuerySet[Any], act: Any, name: str, title: str, done: str
    ) -> HttpResponse | None:
        if self.too_many(request, queryset):
            return None
        confirmed = "confirmed" in request.POST
        form = ReasonForm(request.POST if confirmed else None)
        rows = list(queryset.select_related("debtor", "debt", "template").order_by("created_at", "pk"))
        if not (confirmed and form.is_valid()):
            return self.ask(request, title=title, form=form, rows=rows, button=title, action=name)

        def resolve(message: CommunicationLog) -> None:
            act(message, by=request.user, reason=form.cleaned_data["reason"], now=now())
            self.log_change(request, message, title)

        self.each(request, rows, resolve, done=done)
        return None


@admin.register(CommunicationLog)
class CommunicationLogAdmin(MessagePages):
    list_display = ("created_at", "communication_type", "status", "debtor", "address", "subject", "purpose")
    list_filter = ("status", "communication_type", "direction", "purpose", "created_at")
    actions = ()


@admin.register(UncertainMessage)
class UncertainMessageAdmin(MessagePages):
    """The worklist of uncertain messages, the oldest first."""

    list_display = ("debtor", "communication_type", "address", "short_subject", "age", "cause")
    list_display_links = ("debtor",)
    list_filter = ("communication_type", "provider", "created_at")
    ordering = ("created_at", "id")

    def page_of(self, object_id: object) -> str:
        # A resolved message has left the worklist. Its page is in the list of all messages.
        return reverse("admin:communications_communicationlog_change", args=[object_id])

    short_subject = column("Subject", lambda message: Truncator(message.subject or "-").chars(50))
    age = column("Uncertain for", lambda message: timesince(message.updated_at, now(), depth=1), ordering="updated_at")
    cause = column("Cause", lambda message: Truncator(message.failure_reason or "-").chars(60))


@admin.register(PendingDispatch)
class PendingDispatchAdmin(ReadOnlyAdmin):
    """Messages that workers are about to hand over."""

    list_display = ("message_id",)
    ordering = ("message_id",)


@admin.register(MessageAttempt)
class MessageAttemptAdmin(ReadOnlyAdmin):
    list_display = ("ended_at", "message", "number", "provider", "result", "answer")
    list_select_related = ("message",)
    list_filter = ("result", "provider", "ended_at")
    search_fields = ("message",)
    search_help_text = "The message's id"
    ordering = ("-id",)

    def search_filter(self, text: str) -> Q:
        return Q(provider_message_id=text)

    def id_filter(self, key: Any) -> Q:
        return Q(message=key)


@admin.register(UncertainResolution)
class UncertainResolutionAdmin(ReadOnlyAdmin):
    list_display = ("at", "message", "decision", "by", "reason")
    list_select_related = ("message", "by")
    list_filter = ("decision", "at")
    search_fields = ("message",)
    search_help_text = "The message's id"
    ordering = ("-at", "-id")

    def search_filter(self, text: str) -> Q:
        return Q(reason__icontains=text)

    def id_filter(self, key: Any) -> Q:
        return Q(message=key)
