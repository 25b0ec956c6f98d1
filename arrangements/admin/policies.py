"""Admin pages of arrangement policies: every version, in words, and a form that publishes the next one."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.timezone import now
from unfold.decorators import action
from unfold.enums import ActionVariant

from arrangements import policies
from arrangements.admin import explain
from arrangements.models import ArrangementPolicy
from ddc.common.admin.forms import DomainForm
from ddc.common.admin.listings import Listing, adding, listing
from ddc.common.admin.pages import column, when
from ddc.common.admin.workflow import ConditionFilter, WorkflowAdmin, offered

_PERCENT = (0, 100)
_DAYS = (0, 3_650)
_LINES = (
    ("min_instalment", "max_months", "max_days_to_first"),
    ("min_settlement_percent", "offer_valid_days"),
    ("grace_days", "tolerance_amount", "tolerance_percent"),
    ("missed_to_break", "self_reinstate_days", "delay_days"),
    ("clearing_days", "interest", "budget_percent"),
)
_FIELDS = tuple(name for line in _LINES for name in line)


class PolicyForm(DomainForm):
    """A new version; in the creditor's policy an empty field leaves the question to the agency's policy."""

    class Meta:
        model = ArrangementPolicy
        fields = ("creditor", "currency_code", *_FIELDS)


class ForceFilter(ConditionFilter):
    title, parameter_name = "versions", "version"
    conditions = {"now": ("In force", Q(replaced_at=None)), "before": ("Replaced", Q(replaced_at__isnull=False))}


@admin.register(ArrangementPolicy)
class ArrangementPolicyAdmin(WorkflowAdmin):
    form = PolicyForm
    list_display = ("whose", "currency_code", "version", "short", "in_force")
    list_display_links = ("whose",)
    list_filter = (ForceFilter, "currency_code")
    list_select_related = ("creditor", "by")
    search_fields = ("id",)
    search_help_text = "Part of the creditor's name, or an id"
    autocomplete_fields = ("creditor",)
    actions = ()
    actions_detail = ("new_version",)
    entered = (("creditor", "currency_code"), *_LINES)
    fieldsets = (
        (None, {"fields": (("whose", "currency_code", "version"), "meaning", ("by", "created_at", "replaced_at"))}),
    )
    bounds = {
        "min_settlement_percent": _PERCENT,
        "budget_percent": _PERCENT,
        "tolerance_percent": _PERCENT,
        "max_months": (1, 250),
        "missed_to_break": (1, 250),
        **dict.fromkeys(
            (
                "max_days_to_first",
                "offer_valid_days",
                "grace_days",
                "self_reinstate_days",
                "delay_days",
                "clearing_days",
            ),
            _DAYS,
        ),
    }

    def search_filter(self, text: str) -> Q:
        return Q(creditor__name__icontains=text)

    has_amend_permission = offered(Q(replaced_at=None), "arrangements.change_arrangementpolicy")
    whose = column("Policy of", lambda policy: policy.creditor or "The agency")
    short = column("In short", lambda policy: " ".join(explain.sentences(policy)[:3]))
    meaning = column("In words", lambda policy: explain.as_list(policy))
    in_force = column("Replaced", lambda policy: f"{policy.replaced_at:%Y-%m-%d}" if policy.replaced_at else "In force")

    def create(self, request: HttpRequest, fields: dict[str, Any]) -> ArrangementPolicy:
        return policies.publish(ArrangementPolicy(**fields), by=request.user, now=now())  # type: ignore[arg-type]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill a new version in with the values of the one that it replaces."""
        initial = super().get_changeform_initial_data(request)
        before = self.get_object(request, initial.pop("of", ""))
        return {name: getattr(before, name) for name in PolicyForm.Meta.fields} | initial if before else initial

    def listings(self, request: HttpRequest, obj: ArrangementPolicy) -> list[Listing]:
        versions = ArrangementPolicy.objects.filter(creditor=obj.creditor, currency_code=obj.currency_code)
        columns = {
            "Version": lambda policy: policy.version,
            "Published": lambda policy: when(policy.created_at),
            "By": lambda policy: policy.by or "-",
            "In short": self.short,
            "Replaced": self.in_force,
        }
        rows = versions.select_related("by", "creditor").order_by("-version")
        return [listing("Versions", rows, columns, currency_code__exact=obj.currency_code)]

    @action(description="New version", permissions=["amend"], variant=ActionVariant.PRIMARY)  # type: ignore[untyped-decorator]
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(adding(ArrangementPolicy, of=self.one(request, object_id).pk))
