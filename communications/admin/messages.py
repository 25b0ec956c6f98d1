"""The back office's pages about messages: each as it went, with its proof, and the queue of those in doubt."""

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

from communications.admin.inbound import thread_listing
from communications.admin.text import as_written, framed
from communications.channels import email
from communications.models import CommunicationLog, MessageAttempt, MessageStatus, Settlement, Unbegun, UncertainMessage
from communications.sending import evidence, uncertain
from contact.admin import panel
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import ReadOnlyAdmin
from ddc.common.admin.workflow import WorklistAdmin
from debtors.models import Debtor


class WhyForm(forms.Form):
    why = forms.CharField(
        label="Why",
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="How you know, or why it shall go again. It is kept with the message.",
    )


class MessagePages(WorklistAdmin):
    """What the list of all messages and the queue of doubts share."""

    search_fields = ("id",)
    search_help_text = "Part of the debtor's name or e-mail address; a whole address or phone number; an id"
    list_select_related = ("debtor",)
    actions: tuple[str, ...] = ("it_went_all", "send_again_all")
    actions_detail = ("it_went", "send_again", "download")
    fields = (
        ("status", "communication_type"),
        ("debtor", "debt"),
        ("address", "provider"),
        "failure_reason",
        "decision",
        "subject",
        "as_it_went",
        "text",
        "proof",
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
        "as_it_went": "html",
        "text": "body",
        "version": "template_version",
        "decision": "settlement",
        "proof": "attempts",
    }

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        if request.resolver_match and (request.resolver_match.url_name or "").endswith("_changelist"):
            return found.defer("body", "html", "draft")
        return found.select_related("debtor", "debt", "template", "template_version", "settlement__by")

    def search_filter(self, text: str) -> Q:
        return Q(address=text) | Q(debtor__in=Debtor.objects.matching(text).values("pk"))

    # --- Fields

    @admin.display(description="Text")
    def text(self, log: CommunicationLog) -> SafeString | str:
        return as_written(log.body) if log.body else "-"

    @admin.display(description="As it went")
    def as_it_went(self, log: CommunicationLog) -> SafeString | str:
        return framed(log.html) if log.html else "-"

    @admin.display(description="Template's version")
    def version(self, log: CommunicationLog) -> str:
        return link(log.template_version, log.template_version.number) if log.template_version else "-"

    @admin.display(description="Seal")
    def proof(self, log: CommunicationLog) -> SafeString | str:
        if not log.seal and not log.attempts:
            return "-"
        wrong = evidence.finding(log, log.attempt_rows.all())
        return (
            format_html("<strong>It does not fit: {}.</strong>", wrong)
            if wrong
            else "It fits: nothing was changed since."
        )

    @admin.display(description="Decided")
    def decision(self, log: CommunicationLog) -> SafeString | str:
        made = getattr(log, "settlement", None)
        if made is None:
            return "-"
        words = format_html("{} by {}, {} UTC: {}", made, made.by, f"{made.at:%Y-%m-%d %H:%M}", made.why)
        if made.sent_again_as_id is None:
            return words
        page = reverse("admin:communications_communicationlog_change", args=[made.sent_again_as_id])
        return format_html('{} <a class="underline" href="{}">The new message</a>', words, page)

    def listings(self, request: HttpRequest, obj: CommunicationLog) -> list[Listing]:
        columns = {
            "Attempt": lambda attempt: attempt.number,
            "Began": lambda attempt: f"{attempt.began_at:%Y-%m-%d %H:%M:%S}",
            "Ended": lambda attempt: f"{attempt.ended_at:%Y-%m-%d %H:%M:%S}",
            "Provider": lambda attempt: attempt.provider,
            "Result": lambda attempt: attempt.result,
            "Answer": lambda attempt: attempt.answer or attempt.provider_message_id or "-",
        }
        attempts = listing("Attempts", obj.attempt_rows.order_by("-number", "-id"), columns, log__id__exact=obj.pk)
        replies = thread_listing("Replies", obj.replies.all(), in_reply_to__id__exact=obj.pk)
        return [panel.of_message(obj.pk), attempts, replies]

    # --- Who may do what

    def has_settle_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("communications.add_settlement")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        obj = self.get_object(request, str(object_id))
        offered = super().get_actions_detail(request, object_id)
        hidden = set()
        if obj is None or obj.status != MessageStatus.UNCERTAIN:
            hidden |= {"it_went", "send_again"}
        if obj is None or not obj.body:
            hidden.add("download")
        return [button for button in offered if not button.action_name.endswith(tuple(hidden))] if hidden else offered

    # --- One by one

    @action(description="It went", permissions=["settle"])  # type: ignore[untyped-decorator]
    def it_went(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._settle_one(request, object_id, uncertain.it_went, title="It went", done="It counts as sent.")

    @action(description="Send again", permissions=["settle"])  # type: ignore[untyped-decorator]
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._settle_one(
            request, object_id, uncertain.send_again, title="Send again", done="A new message is queued in its place."
        )

    def _settle_one(self, request: HttpRequest, object_id: str, rule: Any, *, title: str, done: str) -> HttpResponse:
        def settle(log: CommunicationLog, fields: dict[str, Any]) -> None:
            rule(log, by=request.user, why=fields["why"], now=now())

        form = WhyForm(request.POST or None)
        return self.do_to_one(request, object_id, form, settle, title=title, button=title, done=done)

    @action(description="Download .eml")  # type: ignore[untyped-decorator]
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the message as a mail program reads it; whoever may see the message may have it."""
        log = self.one(request, object_id)
        name = f'attachment; filename="message-{log.pk}.eml"'
        content = email.as_file(log)
        return HttpResponse(content, content_type="message/rfc822", headers={"Content-Disposition": name})

    # --- In bulk

    @admin.action(description="They went", permissions=["settle"])
    def it_went_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._settle_all(request, queryset, uncertain.it_went, "it_went_all", "They went", "count as sent")

    @admin.action(description="Send again", permissions=["settle"])
    def send_again_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self._settle_all(
            request, queryset, uncertain.send_again, "send_again_all", "Send again", "are sent again"
        )

    def _settle_all(
        self, request: HttpRequest, queryset: QuerySet[Any], rule: Any, name: str, title: str, done: str
    ) -> HttpResponse | None:
        if self.too_many(request, queryset):
            return None
        confirmed = "confirmed" in request.POST
        form = WhyForm(request.POST if confirmed else None)
        rows = list(queryset.select_related("debtor", "debt", "template").order_by("created_at", "pk"))
        if not (confirmed and form.is_valid()):
            return self.ask(request, title=title, form=form, rows=rows, button=title, action=name)

        def settle(log: CommunicationLog) -> None:
            rule(log, by=request.user, why=form.cleaned_data["why"], now=now())
            self.log_change(request, log, title)

        self.each(request, rows, settle, done=done)
        return None


@admin.register(CommunicationLog)
class CommunicationLogAdmin(MessagePages):
    list_display = ("created_at", "communication_type", "status", "debtor", "address", "subject", "purpose")
    list_filter = ("status", "communication_type", "direction", "purpose", "created_at")
    actions = ()


@admin.register(UncertainMessage)
class UncertainMessageAdmin(MessagePages):
    """The queue: whoever waits longest comes first."""

    list_display = ("debtor", "communication_type", "address", "about", "age", "what_happened")
    list_display_links = ("debtor",)
    list_filter = ("communication_type", "provider", "created_at")
    ordering = ("created_at", "id")

    def page_of(self, object_id: object) -> str:
        # Settled, it has left the queue; its page is among all messages.
        return reverse("admin:communications_communicationlog_change", args=[object_id])

    @admin.display(description="Subject")
    def about(self, log: CommunicationLog) -> str:
        return Truncator(log.subject or "-").chars(50)

    @admin.display(description="Waits", ordering="updated_at")
    def age(self, log: CommunicationLog) -> str:
        return timesince(log.updated_at, now(), depth=1)

    @admin.display(description="What happened")
    def what_happened(self, log: CommunicationLog) -> str:
        return Truncator(log.failure_reason or "-").chars(60)


@admin.register(Unbegun)
class UnbegunAdmin(ReadOnlyAdmin):
    """The marks of messages whose turn has not come: a glimpse of the workers."""

    list_display = ("log_id",)
    ordering = ("log_id",)


@admin.register(MessageAttempt)
class MessageAttemptAdmin(ReadOnlyAdmin):
    list_display = ("ended_at", "log", "number", "provider", "result", "answer")
    list_select_related = ("log",)
    list_filter = ("result", "provider", "ended_at")
    search_fields = ("log",)
    search_help_text = "The message's id"
    ordering = ("-id",)

    def search_filter(self, text: str) -> Q:
        return Q(provider_message_id=text)

    def id_filter(self, key: Any) -> Q:
        return Q(log=key)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    list_display = ("at", "log", "decision", "by", "why")
    list_select_related = ("log", "by")
    list_filter = ("decision", "at")
    search_fields = ("log",)
    search_help_text = "The message's id"
    ordering = ("-at", "-id")

    def search_filter(self, text: str) -> Q:
        return Q(why__icontains=text)

    def id_filter(self, key: Any) -> Q:
        return Q(log=key)
