"""The back office's pages about policies: every version, and how a new one is made, tried beforehand on what went."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from communications.admin import contact_panel
from communications.contact import policy_book, rehearsal, words
from communications.contact.gate import Verdict
from communications.contact.rehearsal import Rehearsal
from communications.models import CommunicationLog, ContactPolicy
from communications.models.contact import WEEKDAYS
from ddc.common.admin.editing import DomainAdmin
from ddc.common.admin.forms import DomainForm, add_refusal
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.errors import DomainError
from ddc.common.reference import countries
from debtors.channels import Channel

_PLACES = ("countries", "regions", "cities", "postal_prefixes")
_TIMES = ("opens", "closes", "weekend_opens", "weekend_closes")
_NUMBERS = {"most": 32_767, "per_days": 31, "cool_down_days": 31, "consent_days": 3_660}
_FLAGS = ("no_holidays", "consent_needed", "first_notice")
#: What a new version may say; the name of the rule stays.
_FIELDS = (
    "valid_from", *_TIMES, "weekdays", "no_holidays", "most", "per_days", "scope", "counts", "cool_down_days", "consent_needed",
    "consent_days", "first_notice", "channels", *_PLACES, "section", "source",
)  # fmt: skip


class _Choices(forms.TypedMultipleChoiceField):
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def clean(self, value: Any) -> Any:
        return sorted(super().clean(value))


class PolicyForm(DomainForm):
    """A version of a policy, as somebody means it to be."""

    channels = _Choices(
        choices=[(channel.value, words) for channel, words in words.CHANNELS.items()],
        required=False,
        help_text="None: every channel.",
    )
    weekdays = _Choices(choices=WEEKDAYS, coerce=int, required=False, help_text="None: every day.")

    class Meta:
        model = ContactPolicy
        fields: tuple[str, ...] = _FIELDS
        widgets = {
            **{name: UnfoldAdminTextInputWidget(attrs={"type": "time"}) for name in _TIMES},
            **{name: UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": most}) for name, most in _NUMBERS.items()},
            **{name: UnfoldBooleanSwitchWidget() for name in _FLAGS},
            **{name: UnfoldAdminTextInputWidget() for name in (*_PLACES, "section", "source")},
            "valid_from": UnfoldAdminTextInputWidget(attrs={"type": "date"}),
            "scope": UnfoldAdminSelectWidget(),
            "counts": UnfoldAdminSelectWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _TIMES:
            self.fields[name].widget.format = "%H:%M"
        for name in _PLACES:
            field = self.fields[name]
            assert isinstance(field, SimpleArrayField)
            field.help_text = f"{field.help_text} Divided by commas."

    def clean_countries(self) -> list[str]:
        codes = [code.strip().upper() for code in self.cleaned_data["countries"]]
        if unknown := [code for code in codes if code not in countries.names()]:
            raise forms.ValidationError(f"No ISO 3166-1 codes: {', '.join(unknown)}.", code="enum")
        return codes


class NewPolicyForm(PolicyForm):
    """The first version of a rule that there was none of."""

    class Meta(PolicyForm.Meta):
        fields = ("jurisdiction", "code", *_FIELDS)
        widgets = {
            **PolicyForm.Meta.widgets,
            "jurisdiction": UnfoldAdminTextInputWidget(),
            "code": UnfoldAdminTextInputWidget(),
        }


@admin.register(ContactPolicy)
class ContactPolicyAdmin(DomainAdmin):
    list_display = ("jurisdiction", "code", "version", "demands", "about", "section", "valid_from", "valid_to")
    list_display_links = ("jurisdiction", "code")
    list_filter = ("jurisdiction",)
    search_fields = ("code",)
    search_help_text = "Part of the jurisdiction's or the rule's name, or of the section"
    actions = ()
    actions_detail = ("new_version",)
    fields: Any = (
        ("jurisdiction", "code", "version"),
        ("valid_from", "valid_to"),
        "demands",
        "about",
        ("section", "source"),
        ("countries", "regions"),
        ("cities", "postal_prefixes"),
        ("by", "created_at"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return [name for line in self.fields for name in ((line,) if isinstance(line, str) else line)]

    def search_filter(self, text: str) -> Q:
        return Q(jurisdiction__icontains=text) | Q(code__icontains=text) | Q(section__icontains=text)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # A version never changes: an edit is a new one.

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_amend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("communications.change_contactpolicy")

    @admin.display(description="What it asks")
    def demands(self, policy: ContactPolicy) -> str:
        return "; ".join(words.demands(policy.value)) or "nothing"

    @admin.display(description="Of")
    def about(self, policy: ContactPolicy) -> str:
        return words.channels(policy.value)

    def listings(self, request: HttpRequest, obj: ContactPolicy) -> list[Listing]:
        versions = ContactPolicy.objects.filter(jurisdiction=obj.jurisdiction, code=obj.code).select_related("by")
        columns = {
            "Version": lambda policy: policy.version,
            "From": lambda policy: policy.valid_from,
            "Until": lambda policy: policy.valid_to or "-",
            "What it asks": self.demands,
            "By": lambda policy: policy.by or ("a pack" if policy.digest else "-"),
        }
        named = {"jurisdiction__exact": obj.jurisdiction, "code__exact": obj.code}
        return [listing("Versions", versions.order_by("-version"), columns, **named)]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewPolicyForm(request.POST or None, instance=ContactPolicy(valid_from=now().date()))

        def make(fields: dict[str, Any]) -> ContactPolicy:
            return policy_book.add(by=request.user, today=now().date(), **fields)  # type: ignore[arg-type]

        return self._edit(request, form, make, title="A new policy")

    @action(description="New version", permissions=["amend"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self.one(request, object_id)
        kept = {name: getattr(policy, name) for name in policy_book.FIELDS} | {"valid_from": now().date()}
        draft = ContactPolicy(jurisdiction=policy.jurisdiction, code=policy.code, version=policy.version + 1, **kept)

        def make(fields: dict[str, Any]) -> ContactPolicy:
            return policy_book.amend(policy, by=request.user, today=now().date(), **fields)  # type: ignore[arg-type]

        form = PolicyForm(request.POST or None, instance=draft)
        return self._edit(request, form, make, title=f"New version of {policy.jurisdiction}/{policy.code}")

    def _edit(self, request: HttpRequest, form: PolicyForm, make: Any, *, title: str) -> HttpResponse:
        """Ask for a version; try it where somebody wants to see first, else make it count."""
        tried = None
        if request.method == "POST" and form.is_valid():
            if "try" in request.POST:
                tried = _shown(rehearsal.rehearse(form.instance.value, today=now().date()))
            elif made := self._made(request, form, make, title):
                return HttpResponseRedirect(self.page_of(made.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "rows": ["A version never changes: this one counts from its first day on, and ends the one before."],
            "button": "Make it count",
            "rehearsal": tried,
        }
        return TemplateResponse(request, "communications/policy_edit.html", context)

    def _made(self, request: HttpRequest, form: PolicyForm, make: Any, title: str) -> ContactPolicy | None:
        try:
            with transaction.atomic():
                made: ContactPolicy = make(form.cleaned_data)
                self.log_change(request, made, title)
        except DomainError as refusal:
            add_refusal(form, refusal)
            return None
        self.message_user(request, f"{made} counts from {made.valid_from} on.")
        return made


def _shown(found: Rehearsal) -> dict[str, Any]:
    """Arrange what came of a try in tables."""
    if found.day is None:
        return {"title": "Nothing was sent in the last 7 days that it could be tried on."}
    counts = [
        (
            words.VERDICTS[verdict],
            found.would_be[verdict],
            found.was[verdict],
            ", ".join(f"{n} {code}" for (of, code), n in found.reasons.most_common() if of == verdict) or "-",
        )
        for verdict in Verdict
    ]
    sample = [
        (
            link(CommunicationLog(pk=change.kept.log_id), words.CHANNELS[Channel(change.kept.channel)]),
            words.clocks(frozenset(change.kept.facts.get("zones", ())), change.kept.at),
            words.VERDICTS[Verdict(change.kept.verdict)],
            words.VERDICTS[change.decision.verdict],
            contact_panel.reasons_of(change.decision),
        )
        for change in found.sample
    ]
    return {
        "title": f"Of {found.looked_at} messages of {found.day:%d %B %Y} {found.changed} come out otherwise",
        "counts": {"headers": ("", "With it", "As it was", "Why, with it"), "rows": counts},
        "sample": {"headers": ("Message", "For them it was", "It said", "With it", "Why"), "rows": sample},
        "sample_title": f"{len(sample)} of those {found.changed}",
    }
