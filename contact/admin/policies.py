"""The back office's pages about contact policies: every version, and a form for a new one with a what-if on past messages."""

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

from contact import explain, policies, what_if
from contact.admin import panel
from contact.engine.decision import Verdict
from contact.engine.policies import DebtorKind, NumberKind
from contact.models import ContactPolicy
from contact.what_if import WhatIf
from creditors.kinds import DebtKind
from ddc.common.admin.forms import DomainForm, add_refusal
from ddc.common.admin.listings import Listing, link, listing
from ddc.common.admin.pages import column
from ddc.common.admin.workflow import WorkflowAdmin, offered
from ddc.common.days import agency_today
from ddc.common.errors import DomainError
from ddc.common.reference import countries
from debtors.channels import Channel

_LOCATIONS = ("countries", "regions", "cities", "postal_prefixes")
_NUMBERS = {
    "max_contacts": 32_767, "max_channels": 4, "per_days": 366, "cooling_off_days": 366, "call_back_days": 366,
    "consent_days": 3_660, "notice_days": 366, "wait_days": 366,
}  # fmt: skip
_FLAGS = ("unless_consented", "consent_needed", "validation_notice")
_KINDS = ("number_kinds", "debt_kinds", "debtor_kinds")
#: The fields that a new version may change; the name of the rule stays.
_FIELDS = (
    "valid_from", "hours", "max_contacts", "max_channels", "per_days", "per_calendar", "scope", "counted", "unless_consented",
    "cooling_off_days", "call_back_days", "consent_needed", "consent_days", "validation_notice", "notice_days", "wait_days",
    "wait_from", "channels", *_KINDS, *_LOCATIONS, "section", "source", "checked_on", "confidence",
)  # fmt: skip


class _Choices(forms.TypedMultipleChoiceField):
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def clean(self, value: Any) -> Any:
        return sorted(super().clean(value))


class PolicyForm(DomainForm):
    """A draft of a version of a policy."""

    channels = _Choices(
        choices=Channel.choices,
        required=False,
        help_text="None: every channel.",
    )
    number_kinds = _Choices(
        choices=[(k.value, k.value) for k in NumberKind],
        required=False,
        help_text="None: all. An unknown kind counts as each.",
    )
    debt_kinds = _Choices(
        choices=[(k.value, k.value) for k in DebtKind],
        required=False,
        help_text="None: all. An unknown kind counts as each.",
    )
    debtor_kinds = _Choices(choices=[(k.value, k.value) for k in DebtorKind], required=False, help_text="None: all.")

    class Meta:
        model = ContactPolicy
        fields: tuple[str, ...] = _FIELDS
        widgets = {
            **{
                name: UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": highest})
                for name, highest in _NUMBERS.items()
            },
            **{name: UnfoldBooleanSwitchWidget() for name in _FLAGS},
            **{name: UnfoldAdminTextInputWidget() for name in (*_LOCATIONS, "hours", "section", "source")},
            **{name: UnfoldAdminTextInputWidget(attrs={"type": "date"}) for name in ("valid_from", "checked_on")},
            **{
                name: UnfoldAdminSelectWidget()
                for name in ("scope", "counted", "per_calendar", "wait_from", "confidence")
            },
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _LOCATIONS:
            field = self.fields[name]
            assert isinstance(field, SimpleArrayField)
            field.help_text = f"{field.help_text} Separate with commas."

    def clean_countries(self) -> list[str]:
        codes = [code.strip().upper() for code in self.cleaned_data["countries"]]
        if unknown := [code for code in codes if code not in countries.names()]:
            raise forms.ValidationError(
                f"Unknown countries: {', '.join(unknown)}. Use ISO 3166-1 codes such as US.", code="enum"
            )
        return codes


class NewPolicyForm(PolicyForm):
    """The first version of a new rule."""

    class Meta(PolicyForm.Meta):
        fields = ("jurisdiction", "code", *_FIELDS)
        widgets = {
            **PolicyForm.Meta.widgets,
            "jurisdiction": UnfoldAdminTextInputWidget(),
            "code": UnfoldAdminTextInputWidget(),
        }


@admin.register(ContactPolicy)
class ContactPolicyAdmin(WorkflowAdmin):
    list_display = ("jurisdiction", "code", "version", "demands", "about", "section", "valid_from", "valid_to")
    list_display_links = ("jurisdiction", "code")
    list_filter = ("jurisdiction",)
    search_fields = ("code",)
    search_help_text = "Part of the jurisdiction's or the rule's name, or of the section"
    actions = ()
    actions_detail = ("new_version",)
    lines = (
        ("jurisdiction", "code", "version"),
        ("valid_from", "valid_to"),
        "demands",
        "about",
        "limits",
        ("section", "source"),
        ("checked_on", "confidence"),
        ("countries", "regions"),
        ("cities", "postal_prefixes"),
        ("by", "created_at"),
    )
    fieldsets = ((None, {"fields": lines}),)

    def search_filter(self, text: str) -> Q:
        return Q(jurisdiction__icontains=text) | Q(code__icontains=text) | Q(section__icontains=text)

    has_amend_permission = offered(Q(), "contact.change_contactpolicy")
    demands = column("Demands", lambda policy: "; ".join(explain.demands(policy.value)) or "nothing")
    about = column("Channels", lambda policy: explain.channels(policy.value))

    limits = column("Only for", lambda policy: explain.limits(policy.value) or "-")

    def listings(self, request: HttpRequest, obj: ContactPolicy) -> list[Listing]:
        versions = ContactPolicy.objects.filter(jurisdiction=obj.jurisdiction, code=obj.code).select_related("by")
        columns = {
            "Version": lambda policy: policy.version,
            "From": lambda policy: policy.valid_from,
            "Until": lambda policy: policy.valid_to or "-",
            "Demands": self.demands,
            "By": lambda policy: policy.by or ("pack" if policy.digest else "-"),
        }
        named = {"jurisdiction__exact": obj.jurisdiction, "code__exact": obj.code}
        return [listing("Versions", versions.order_by("-version"), columns, **named)]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewPolicyForm(request.POST or None, instance=ContactPolicy(valid_from=agency_today(now())))

        def make(fields: dict[str, Any]) -> ContactPolicy:
            return policies.add(by=request.user, today=agency_today(now()), **fields)  # type: ignore[arg-type]

        return self._edit(request, form, make, title="New policy")

    @action(description="Write new version", permissions=["amend"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self.one(request, object_id)
        kept = {name: getattr(policy, name) for name in policies.FIELDS} | {"valid_from": agency_today(now())}
        draft = ContactPolicy(jurisdiction=policy.jurisdiction, code=policy.code, version=policy.version + 1, **kept)

        def make(fields: dict[str, Any]) -> ContactPolicy:
            return policies.amend(policy, by=request.user, today=agency_today(now()), **fields)  # type: ignore[arg-type]

        form = PolicyForm(request.POST or None, instance=draft)
        return self._edit(request, form, make, title=f"New version of {policy.jurisdiction}/{policy.code}")

    def _edit(self, request: HttpRequest, form: PolicyForm, make: Any, *, title: str) -> HttpResponse:
        """Show the form; on request compare the draft with past decisions, else put it in force."""
        comparison = None
        if request.method == "POST" and form.is_valid():
            if "compare" in request.POST:
                comparison = _tables(what_if.compare(form.instance.value, today=agency_today(now())))
            elif made := self._made(request, form, make, title):
                return HttpResponseRedirect(self.page_of(made.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "rows": [
                "This version applies from its first day on, and ends the version before it. It cannot be changed later."
            ],
            "button": "Put in force",
            "comparison": comparison,
        }
        return TemplateResponse(request, "contact/policy_edit.html", context)

    def _made(self, request: HttpRequest, form: PolicyForm, make: Any, title: str) -> ContactPolicy | None:
        try:
            with transaction.atomic():
                made: ContactPolicy = make(form.cleaned_data)
                self.log_change(request, made, title)
        except DomainError as refusal:
            add_refusal(form, refusal)
            return None
        self.message_user(request, f"{made} applies from {made.valid_from} on.")
        return made


def _tables(found: WhatIf) -> dict[str, Any]:
    """Arrange a comparison in tables."""
    if found.day is None:
        return {"title": "There were no messages in the last 7 days to compare with."}
    counts = [
        (
            explain.VERDICTS[verdict],
            found.after[verdict],
            found.before[verdict],
            ", ".join(f"{n} {code}" for (of, code), n in found.reasons.most_common() if of == verdict) or "-",
        )
        for verdict in Verdict
    ]
    sample = [
        (
            link(change.before, Channel(change.before.channel).label),
            explain.clocks(panel.facts_of(change.before).zones, change.before.at),
            explain.VERDICTS[Verdict(change.before.verdict)],
            explain.VERDICTS[change.after.verdict],
            panel.reasons(change.after),
        )
        for change in found.sample
    ]
    return {
        "title": f"{found.changed} of {found.messages} messages of {found.day:%d %B %Y} get another verdict",
        "counts": {"headers": ("Verdict", "With the draft", "As decided", "Reasons with the draft"), "rows": counts},
        "sample": {
            "headers": ("Decision", "Debtor's local time", "As decided", "With the draft", "Reasons with the draft"),
            "rows": sample,
        },
        "sample_title": f"{len(sample)} of these {found.changed}",
    }
