"""The back office's pages about what debtors told us of how they may be reached."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from communications.contact import wishes, words
from communications.models import ContactWish
from communications.models.contact import WEEKDAYS
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DomainForm
from debtors.models import Debtor


class WishForm(DomainForm):
    """What they told us, and what of it the gate shall obey."""

    told = forms.CharField(
        label="What they told us", max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="In their words, such as: not before six in the evening.",
    )  # fmt: skip
    channels = forms.MultipleChoiceField(
        choices=[(channel.value, words) for channel, words in words.CHANNELS.items()],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="What it is about; none: all of them.",
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="Days that suit them",
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None: every day.",
    )
    opens = forms.TimeField(
        label="Not before", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "time"})
    )
    closes = forms.TimeField(
        label="Not after", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "time"})
    )

    class Meta:
        model = ContactWish
        fields = (
            "debtor",
            "told",
            "channels",
            "no_contact",
            "opens",
            "closes",
            "weekdays",
            "time_zone",
            "work_address",
        )


@admin.register(ContactWish)
class ContactWishAdmin(DomainAdmin):
    form = WishForm
    list_display = ("debtor", "told", "asks", "created_at", "ended_at", "by")
    list_display_links = ("debtor", "told")
    list_filter = ("no_contact", ("ended_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("debtor", "by")
    search_fields = ("id",)
    search_help_text = "Part of the debtor's name or e-mail address"
    autocomplete_fields = ("debtor",)
    actions = ()
    actions_detail = ("withdraw",)
    add_fieldsets: Any = (
        (None, {"fields": ("debtor", "told", "channels")}),
        ("What they want", {"fields": ("no_contact", ("opens", "closes"), "weekdays", "time_zone", "work_address")}),
    )
    fieldsets: Any = (
        (None, {"fields": ("debtor", "told", "asks", ("created_at", "by"), "ended_at")}),
        ("As it was noted", {"fields": ("channels", "no_contact", ("opens", "closes"), "weekdays", "time_zone", "work_address")}),
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("asks", "by", "created_at", "ended_at") if obj else ()

    def search_filter(self, text: str) -> Q:
        return Q(debtor__in=Debtor.objects.matching(text).values("pk"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # What they said stays as it was said; who thinks otherwise later, says something new.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("communications.change_contactwish")

    @admin.display(description="So we")
    def asks(self, wish: ContactWish) -> str:
        return words.wish(wish)

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ContactWish:
        return wishes.note(fields.pop("debtor"), by=request.user, now=now(), **fields)  # type: ignore[arg-type]

    @action(description="Withdrawn", permissions=["end"])  # type: ignore[untyped-decorator]
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def end(wish: ContactWish, fields: dict[str, Any]) -> None:
            wishes.withdraw(wish, by=request.user, now=now())  # type: ignore[arg-type]

        form = forms.Form(request.POST if request.method == "POST" else None)
        title = "They took it back"
        return self.do_to_one(
            request, object_id, form, end, title=title, button="Withdraw it", done="It counts no more."
        )
