"""Limits of roles: rows of one table, asked by one function."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from agents import limits
from agents.limits import AboveLimit
from agents.models import LimitKind, RoleLimit
from audit.models import AuditEvent
from tests import factories
from tests.admin.conftest import Browser, address, errors, staff

pytestmark = pytest.mark.django_db

DAYS, AMOUNT, SECOND = LimitKind.DEFERRAL_DAYS, LimitKind.DEFERRAL_AMOUNT, LimitKind.DEFERRAL_SECOND_PERSON
REVIEW = "collections.review_deferralrequest"


def limit(role: str, kind: str, value: int) -> RoleLimit:
    return RoleLimit.objects.create(role=role, kind=kind, value=value)


def test_without_a_row_there_is_no_limit():
    limit("Supervisor", DAYS, 1)
    assert limits.of(factories.agent("Agent")).exceeded({DAYS: 365, AMOUNT: Decimal(10**9), SECOND: None}) == []


def test_a_value_at_the_limit_is_granted_and_one_above_it_is_not():
    limit("Agent", DAYS, 60)
    limit("Agent", AMOUNT, 10_000)
    within = limits.of(factories.agent("Agent"))
    assert within.exceeded({DAYS: 60, AMOUNT: Decimal(10_000)}) == []
    above = within.exceeded({DAYS: 61, AMOUNT: Decimal("10000.01")})
    assert [each.limit.kind for each in above] == [DAYS, AMOUNT]
    assert str(above[0]) == "days of a deferral: at most 60 days"
    assert str(above[1]) == "balance of a debt to defer: at most 10,000.00 USD"


def test_an_amount_without_exchange_rate_is_above_any_limit():
    limit("Agent", AMOUNT, 10_000)
    (above,) = limits.of(factories.agent("Agent")).exceeded({AMOUNT: None})
    assert str(above).endswith("(there is no exchange rate to compare with)")


def test_supervisors_superusers_and_the_system_are_above_the_limits_of_agents():
    limit("Agent", DAYS, 60)
    limit("Agent", SECOND, 100)
    limit("Supervisor", SECOND, 200)
    superuser = factories.agent(None, is_superuser=True)
    assert limits.of(None).exceeded({DAYS: 365, SECOND: 10**9}) == []
    assert limits.of(factories.agent("Supervisor")).exceeded({DAYS: 365, SECOND: 200}) == []
    assert limits.of(superuser).exceeded({DAYS: 365}) == []
    assert [each.limit.role for each in limits.of(superuser).exceeded({SECOND: 101})] == ["Agent"]


def test_of_several_roles_the_most_generous_counts():
    limit("Agent", DAYS, 60)
    both = factories.agent("Agent")
    both.groups.add(Group.objects.get(name="Supervisor"))
    assert limits.of(both).exceeded({DAYS: 90}) == []
    limit("Supervisor", DAYS, 90)
    assert limits.of(both).exceeded({DAYS: 90}) == []
    assert [each.limit.role for each in limits.of(both).exceeded({DAYS: 91})] == ["Supervisor"]


def test_a_refusal_names_the_limit_and_who_must_decide():
    limit("Agent", DAYS, 60)
    limits.require(factories.agent("Agent"), {DAYS: 60}, permission=REVIEW)
    with pytest.raises(AboveLimit, match=r"\(days of a deferral: at most 60 days\)\. A Supervisor must decide\."):
        limits.require(factories.agent("Agent"), {DAYS: 61}, permission=REVIEW)
    limit("Supervisor", DAYS, 90)
    assert limits.deciders({DAYS: 60}, permission=REVIEW) == ["Agent", "Supervisor"]
    assert limits.deciders({DAYS: 91}, permission=REVIEW) == []
    with pytest.raises(AboveLimit, match=r"A superuser must decide\."):
        limits.require(factories.agent("Agent"), {DAYS: 91}, permission=REVIEW)


def test_the_database_keeps_one_limit_of_a_kind_for_a_role_and_none_below_zero():
    limit("Agent", DAYS, 60)
    for kind, value in ((DAYS, 30), (AMOUNT, -1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            limit("Agent", kind, value)


def test_a_supervisor_sets_limits_and_the_change_log_has_them():
    desk = Browser(staff("Supervisor"))
    fields = {"role": "Agent", "kind": DAYS, "value": "60"}
    assert desk.post(address(RoleLimit, "add"), fields).status_code == 302
    assert errors(desk.post(address(RoleLimit, "add"), fields)) == {
        "kind": ["This role has a limit of this kind already. Change that one."]
    }
    row = RoleLimit.objects.get()
    assert desk.post(address(RoleLimit, "change", row.pk), fields | {"value": "45"}).status_code == 302
    assert "45 days" in desk.list(RoleLimit).content.decode()
    added, changed = AuditEvent.objects.filter(table_name="role_limit").order_by("id")
    assert (added.actor_id, added.person_id, added.after["kind"]) == (desk.agent.pk, None, "deferral_days")
    assert (changed.before, changed.after) == ({"value": 60.0}, {"value": 45.0})


def test_others_see_limits_and_change_none():
    row = limit("Agent", DAYS, 60)
    for role in ("Agent", "Auditor"):
        desk = Browser(staff(role))
        assert desk.list(RoleLimit).status_code == 200
        assert desk.post(address(RoleLimit, "change", row.pk), {"value": "365"}).status_code == 403
        assert desk.get(address(RoleLimit, "add")).status_code == 403
    row.refresh_from_db()
    assert row.value == 60
