"""The permissions of the roles Agent, Supervisor and Auditor: groups that both the API and the admin check."""

import time
from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import transaction

#: The labels of the project's apps with models.
APPS = (
    "agency",
    "audit",
    "agents",
    "creditors",
    "debtors",
    "collections",
    "arrangements",
    "contact",
    "payments",
    "communications",
    "casework",
    "strategy",
    "portal",
)

AGENT, SUPERVISOR, AUDITOR = "Agent", "Supervisor", "Auditor"

_AGENT = {
    "creditors": ("add_creditor",),
    "debtors": ("add_debtor", "change_debtor", "record_consent"),
    "collections": (
        "add_debt",
        "change_debt",
        "charge_debt",
        "waive_debt",
        "write_off_debt",
        "decide_parkedplacement",
        "review_deferralrequest",
        "add_hold",
        "add_dispute",
        "change_dispute",
    ),
    "arrangements": ("add_arrangement", "change_arrangement"),
    "contact": ("add_contactpreference", "change_contactpreference"),
    "payments": (
        "add_payment",
        "change_payment",
        "add_receipt",
        "add_receiptallocation",
        "apply_credit",
        "add_refund",
        "add_bankaccount",
    ),
    "communications": (
        "add_communicationtemplate",
        "change_communicationtemplate",
        "send_communicationtemplate",
        "write_communicationlog",
        "finish_calltask",
        "read_inboundmessage",
        "add_uncertainresolution",
    ),
    "casework": ("add_note", "change_note", "add_followup", "change_followup", "change_supportrequest"),
    "portal": ("see_as_debtor",),
}
#: Not seen by every role, but only by those that name it: personal data as it was, also of debtors who are deleted.
_NOT_FOR_ALL = {"view_auditevent", "view_listexport"}
_SUPERVISOR = {
    "agency": ("change_agencyprofile",),
    "audit": ("view_auditevent", "view_listexport", "export_lists", "run_systemcheck"),
    "agents": ("change_apitoken", "manage_staff", "add_rolelimit", "change_rolelimit", "delete_rolelimit"),
    "creditors": (
        "change_creditor",
        "delete_creditor",
        "add_creditorlook",
        "change_creditorlook",
        "delete_creditorlook",
    ),
    "debtors": ("delete_debtor", "add_contactpoint", "change_contactpoint"),
    "collections": (
        "delete_debt",
        "import_placements",
        "adjust_debt",
        "change_hold",
        "decide_dispute",
        "decide_escalated_deferralrequest",
        "close_debt",
        "charge_without_rule",
        "add_segment",
        "change_segment",
        "delete_segment",
        "add_seriesrate",
        "add_interestschedule",
        "add_costrule",
        "add_exchangerate",
        "change_exchangerate",
        "delete_exchangerate",
    ),
    "arrangements": ("approve_arrangement", "add_arrangementpolicy", "change_arrangementpolicy"),
    "contact": ("add_contactpolicy", "change_contactpolicy"),
    "payments": (
        "delete_payment",
        "reverse_payment",
        "decide_refund",
        "decide_bankaccount",
        "rerun_providerevent",
    ),
    "communications": (
        "rerun_providerevent",
        "withdraw_communicationlog",
        "delete_communicationtemplate",
    ),
    "casework": ("strike_note",),
    "strategy": ("add_strategyrule", "change_strategyrule", "delete_strategyrule", "add_strategyrun"),
}

#: Permissions by role and app, in addition to viewing everything but ``_NOT_FOR_ALL``.
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    AGENT: _AGENT,
    SUPERVISOR: {app: _AGENT.get(app, ()) + _SUPERVISOR.get(app, ()) for app in APPS},
    AUDITOR: {"audit": ("view_auditevent", "view_listexport", "export_lists")},
}

#: Seconds until a process sees a change of a role's permissions. A change of an agent's roles has an immediate effect.
CACHE_SECONDS = 5
#: The permissions of each combination of groups, and the time until which they are valid.
permissions_cache: dict[tuple[int, ...], tuple[frozenset[str], float]] = {}


def permissions(group_ids: Iterable[int]) -> frozenset[str]:
    """Return the permissions of the groups together, as ``app_label.codename``."""
    ids = tuple(sorted(group_ids))
    allowed, until = permissions_cache.get(ids, (frozenset(), 0.0))
    if time.monotonic() > until:
        found = Permission.objects.filter(group__in=ids).values_list("content_type__app_label", "codename")
        allowed = frozenset(f"{app}.{name}" for app, name in found)
        permissions_cache[ids] = allowed, time.monotonic() + CACHE_SECONDS
    return allowed


@transaction.atomic
def grant(app: str) -> None:
    """Set the permissions of every role in one app.

    It reads only that app's permissions, so it can run as soon as they exist, in any order of the apps.
    """
    known = {found.codename: found for found in Permission.objects.filter(content_type__app_label=app)}
    viewing = {name for name in known if name.startswith("view_")} - _NOT_FOR_ALL
    for role, granted in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        wanted = {known[name] for name in viewing.union(granted.get(app, ())) if name in known}
        held = set(group.permissions.filter(content_type__app_label=app))
        group.permissions.add(*wanted - held)
        group.permissions.remove(*held - wanted)


def grant_after_migrate(*, app_config: AppConfig, **_: Any) -> None:
    """Receive ``post_migrate``, which Django sends once for each app, after it created that app's permissions."""
    if app_config.label in APPS:
        grant(app_config.label)
