"""What a message names is not deleted at the moment in which the message is queued, though no foreign key says so."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from collection import debts
from collection.models import Debt
from communications.models import CommunicationLog, CommunicationTemplate
from communications.outbox import outbox
from communications.texts import templates
from debtors import debtors
from debtors.models import Debtor
from strategy import matching, queueing, rules
from strategy.models import StrategyRule, StrategyRun, StrategyStep
from tests import factories
from tests.races.threads import at_once, refusals
from tests.strategy import makers
from tests.strategy.makers import TODAY, clock

pytestmark = pytest.mark.django_db(transaction=True)


class Race:
    """A rule queues for one debt while something that the message or its step refers to is deleted."""

    def __init__(self) -> None:
        self.rule = makers.rule()
        self.debt = makers.due_debt(self.rule)
        self.run = StrategyRun.objects.create(status="done", date=TODAY)

    def queue(self, *, before: float = 0, after: float = 0) -> int:
        matching.match([self.rule], day=TODAY)
        with transaction.atomic():
            time.sleep(before)
            queued = queueing.queue([self.rule], self.run, now=clock())
            time.sleep(after)
        return sum(queued.values())

    def delete_debt(self) -> None:
        debts.delete(self.debt, by=None, today=TODAY)

    def delete_rule(self) -> None:
        rules.delete(self.rule)

    def dangling(self) -> list[str]:
        """Tell what messages and steps name that is not there."""
        found = []
        for log in CommunicationLog.objects.all():
            found += ["debt"] if not Debt.objects.filter(pk=log.debt_id).exists() else []
            found += ["debtor"] if not Debtor.objects.filter(pk=log.debtor_id).exists() else []
            found += ["template"] if not CommunicationTemplate.objects.filter(pk=log.template_id).exists() else []
        for step in StrategyStep.objects.all():
            found += ["rule"] if not StrategyRule.objects.filter(pk=step.rule_id).exists() else []
        return found


@contextmanager
def without_triggers(*names: tuple[str, str]) -> Iterator[None]:
    """Switch triggers of tables off for a while, and delete what came to be meanwhile."""
    with connection.cursor() as cursor:
        for table, trigger in names:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
        try:
            yield
        finally:
            StrategyStep.objects.all().delete()
            CommunicationLog.objects.all().delete()
            for table, trigger in names:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


def queue_first(race: Race, delete: Callable[[], None]) -> list[Any]:
    """The message is written but not committed when the deletion begins."""

    def later() -> None:
        time.sleep(0.2)
        delete()

    return at_once(lambda: race.queue(after=0.5), later)


def delete_first(race: Race, delete: Callable[[], None]) -> list[Any]:
    """The deletion is made but not committed when the message is written, and commits while the check waits for it."""

    def slowly() -> None:
        with transaction.atomic():
            delete()
            time.sleep(0.6)

    return at_once(lambda: race.queue(before=0.3), slowly)


@pytest.mark.parametrize("what", ["delete_debt", "delete_rule"])
def test_what_is_being_written_about_is_not_deleted(what: str):
    race = Race()
    queued, refused = queue_first(race, getattr(race, what))
    assert queued == 1
    assert isinstance(refused, (debts.DebtInUse, rules.RuleInUse))
    assert race.dangling() == []


@pytest.mark.parametrize("what", ["delete_debt", "delete_rule"])
def test_of_what_is_being_deleted_nothing_is_written(what: str):
    race = Race()
    queued, deleted = delete_first(race, getattr(race, what))
    assert deleted is None
    assert queued == 0 if what == "delete_debt" else isinstance(queued, IntegrityError)
    assert CommunicationLog.objects.count() == StrategyStep.objects.count() == 0


@pytest.mark.deep
@pytest.mark.owner
@pytest.mark.parametrize(
    ("what", "trigger"),
    [("delete_debt", ("debt", "debt_with_messages_stays")), ("delete_rule", ("strategy_rule", "rule_of_a_step_stays"))],
)
def test_without_the_check_of_deletions_a_message_names_what_is_gone(what: str, trigger: tuple[str, str]):
    race = Race()
    with without_triggers(trigger):
        queue_first(race, getattr(race, what))
        assert race.dangling() == [what.removeprefix("delete_")]


@pytest.mark.deep
@pytest.mark.owner
def test_without_the_check_of_steps_one_names_what_is_gone():
    race = Race()
    with without_triggers(("strategy_step", "step_references_exist")):
        delete_first(race, race.delete_rule)
        assert race.dangling() == ["rule"]


def write_to(debtor: Debtor) -> None:
    outbox.queue(debtor=debtor, channel="email", subject="Hello", body="x", now=clock())


def write_while_being_deleted(debtor: Debtor) -> list[Any]:
    def delete() -> None:
        with transaction.atomic():
            debtors.delete(Debtor.objects.get(pk=debtor.pk))
            time.sleep(0.5)

    def write() -> None:
        time.sleep(0.2)
        write_to(debtor)

    return at_once(write, delete)


def test_a_debtor_who_is_being_written_to_is_not_deleted():
    debtor = factories.debtor()

    def write() -> None:
        with transaction.atomic():
            write_to(debtor)
            time.sleep(0.5)

    def delete() -> None:
        time.sleep(0.2)
        debtors.delete(debtor)

    results = at_once(write, delete)
    assert len(refusals(results)) == 1
    assert CommunicationLog.objects.get().debtor == debtor


def test_a_debtor_who_is_being_deleted_is_not_written_to():
    refused, deleted = write_while_being_deleted(factories.debtor())
    assert deleted is None
    assert isinstance(refused, IntegrityError)
    assert not CommunicationLog.objects.exists()


@pytest.mark.deep
@pytest.mark.owner
def test_without_the_check_of_messages_one_goes_to_a_debtor_who_is_gone():
    debtor = factories.debtor()
    with without_triggers(("communication_log", "message_references_exist")):
        write_while_being_deleted(debtor)
        assert not Debtor.objects.exists()
        assert CommunicationLog.objects.count() == 1


def test_a_template_that_is_being_used_is_not_deleted():
    debtor, template = factories.debtor(), factories.template()

    def write() -> None:
        with transaction.atomic():
            outbox.queue(debtor=debtor, channel="email", template=template, now=clock())
            time.sleep(0.5)

    def delete() -> None:
        time.sleep(0.2)
        templates.delete(template)

    results = at_once(write, delete)
    assert [type(refused) for refused in refusals(results)] == [templates.TemplateInUse]
    assert CommunicationLog.objects.get().template == template
