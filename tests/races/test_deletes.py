"""A row is deleted while another transaction adds a reference to it: API and admin name the reason of the refusal."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models, transaction

from collection.debts import DebtInUse
from collection.models import Hold
from collection.segments.records import SegmentInUse
from communications.models import CommunicationLog, CommunicationTemplate
from communications.texts import templates
from communications.texts.templates import TemplateInUse
from ddc.common.errors import DomainError
from debtors import debtors
from debtors.debtors import HasDebts
from debtors.models import ContactPoint, Debtor
from strategy.models import StrategyRule, StrategyRun, StrategyStep
from strategy.rules import RuleInUse
from tests import factories
from tests.admin.conftest import Browser, address, said, staff
from tests.conftest import Api
from tests.races.threads import at_once
from tests.strategy import makers

pytestmark = pytest.mark.django_db(transaction=True)


def hold(**values: Any) -> Hold:
    return Hold.objects.create(reason="vulnerable", starts_on=makers.TODAY, **values)


def message(**values: Any) -> CommunicationLog:
    return CommunicationLog.objects.create(communication_type="email", status="sent", **values)


def step(rule: StrategyRule) -> None:
    debt = factories.debt()
    run = StrategyRun.objects.create(status="done", date=makers.TODAY)
    sent = message(debt=debt, debtor=debt.debtor)
    StrategyStep.objects.create(message=sent, rule=rule, run=run, debt=debt, anchor=debt.pk, occurrence=makers.TODAY)


#: What is deleted, what comes to refer to it, the API's path, and the refusal.
RACES: dict[str, tuple[Any, Any, str, type[DomainError]]] = {
    "debtor, hold": (factories.debtor, lambda row: hold(debtor=row), "debtors", HasDebts),
    "debtor, debt": (factories.debtor, lambda row: factories.debt(debtor=row), "debtors", HasDebts),
    "debtor, message": (factories.debtor, lambda row: message(debtor=row), "debtors", HasDebts),
    "debt, hold": (factories.debt, lambda row: hold(debt=row), "debts", DebtInUse),
    "debt, message": (factories.debt, lambda row: message(debt=row, debtor=row.debtor), "debts", DebtInUse),
    "segment, rule": (factories.segment, lambda row: makers.rule(segment=row), "segments", SegmentInUse),
    "segment, debt": (factories.segment, lambda row: factories.debt(segment=row), "segments", SegmentInUse),
    "template, rule": (
        factories.template, lambda row: makers.rule(template=row), "communication-templates", TemplateInUse
    ),
    "template, message": (
        factories.template, lambda row: message(template=row, debtor=factories.debtor()), "communication-templates",
        TemplateInUse,
    ),
    "rule, step": (makers.rule, step, "strategy-rules", RuleInUse),
}  # fmt: skip
race = pytest.mark.parametrize(("make", "refer", "path", "refusal"), RACES.values(), ids=RACES)


def while_it_is_referred_to(refer: Callable[[Any], object], row: models.Model, delete: Callable[[], Any]) -> Any:
    """Delete after the reference is written and before it is committed."""

    def write() -> None:
        with transaction.atomic():
            refer(row)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # It locks the row now, as COMMIT would.
            time.sleep(0.6)

    def later() -> Any:
        time.sleep(0.3)
        return delete()

    written, answer = at_once(write, later)
    assert written is None, written
    return answer


@race
def test_the_api_refuses_with_the_reason(make: Any, refer: Any, path: str, refusal: type[DomainError], api: Api):
    row = make()
    answer = while_it_is_referred_to(refer, row, lambda: api.delete(f"/{path}/{row.pk}"))
    assert answer.status_code == 409
    assert answer.json()["detail"] == refusal.message
    assert type(row)._default_manager.filter(pk=row.pk).exists()


@race
def test_the_admin_shows_the_reason(make: Any, refer: Any, path: str, refusal: type[DomainError]):
    row, browser = make(), Browser(staff("Supervisor"))
    page = address(type(row), "delete", row.pk)
    answer = while_it_is_referred_to(refer, row, lambda: browser.post(page, {"post": "yes"}, follow=True))
    assert answer.status_code == 200
    assert said(answer) == [refusal.message]
    assert type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", ["debtor, hold", "template, message"])
def test_the_admin_shows_the_reason_among_several(name: str):
    make, refer, _, refusal = RACES[name]
    row, other, browser = make(), make(), Browser(staff("Supervisor"))
    answer = while_it_is_referred_to(refer, row, lambda: browser.act("delete_selected", [row, other], post="yes"))
    assert answer.status_code == 200
    assert said(answer)[1] == f"{row}: {refusal.message}"
    assert not type(row)._default_manager.filter(pk=other.pk).exists()


@pytest.mark.parametrize("make", [factories.debtor, factories.debt, factories.segment, factories.template, makers.rule])
def test_several_that_nothing_refers_to_are_deleted_at_once(make: Callable[[], models.Model]):
    rows = [make(), make()]
    for row in rows:
        if isinstance(row, CommunicationTemplate):
            row.versions.create(number=1, language="en", body="x")
    answer = Browser(staff("Supervisor")).act("delete_selected", rows, post="yes")
    assert said(answer)[0].startswith("2 ")
    assert not type(rows[0])._default_manager.filter(pk__in=[row.pk for row in rows]).exists()


def test_a_deletion_leaves_the_rest_of_its_transaction_deferred():
    first, second = factories.template(), factories.template()
    for template in (first, second):
        template.versions.create(number=1, language="en", body="x")
    with transaction.atomic():
        templates.delete(first)
        templates.delete(second)  # Its versions are deleted before it, which only a deferred check allows.
    assert not CommunicationTemplate.objects.exists()


def test_two_deletions_of_one_debtor_at_once_do_not_fail():
    debtor = factories.debtor()
    assert at_once(lambda: debtors.delete(debtor), lambda: debtors.delete(debtor)) == [None, None]
    assert not Debtor.objects.exists()
    assert not ContactPoint.objects.exists()


def test_an_opt_out_at_the_moment_of_the_deletion_is_kept():
    debtor = factories.debtor(email="zoe@example.com")
    deleted = while_it_is_referred_to(lambda row: factories.suppress(row.email), debtor, lambda: debtors.delete(debtor))
    assert deleted is None
    point = ContactPoint.objects.get()
    assert (point.value, point.debtor, point.suppressions) == ("zoe@example.com", None, ["opted out"])
