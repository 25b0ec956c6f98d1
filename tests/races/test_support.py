"""Requests of debtors under threads: one hardship, one answer, one change of an address, and no more files than allowed."""

import functools
from datetime import UTC, datetime
from typing import Any

import pytest

from casework import documents, support
from casework.models import Document, SupportRequest
from collection.models import Hold
from communications.texts import one_time_code
from debtors.channels import AddressKind
from debtors.models import Debtor
from portal import address_changes
from portal.models import AddressChange
from tests import factories
from tests.races.threads import at_once, count_together, refusals

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
THREADS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_hardships_at_once_one_opens_the_hold():
    debtor = factories.debtor()
    report = functools.partial(support.report_hardship, debtor, text="I lost my job.", now=NOW)

    refused = refusals(at_once(*[report] * THREADS))

    assert [type(each) for each in refused] == [support.AlreadyAsked] * (THREADS - 1)
    assert (SupportRequest.objects.count(), Hold.objects.count()) == (1, 1)


def test_of_agents_at_once_one_answers():
    asked = factories.complaint(now=NOW)
    agents = [factories.agent("Agent") for _ in range(THREADS)]
    calls = [functools.partial(support.answer, asked, answer=str(agent.pk), by=agent, now=NOW) for agent in agents]

    refused = refusals(at_once(*calls))

    assert [type(each) for each in refused] == [support.AlreadyAnswered] * (THREADS - 1)
    answered = SupportRequest.objects.get()
    assert answered.answer == str(answered.answered_by_id)


def race_of_codes() -> tuple[Debtor, list[Exception]]:
    debtor = factories.debtor()
    wanted = address_changes.parse("new@mail.example", AddressKind.EMAIL, debtor)
    change = address_changes.request(debtor, wanted, now=NOW)
    code = one_time_code.derive(change.pk)

    def confirm(index: int) -> None:
        mine = AddressChange.objects.select_related("debtor").get(pk=change.pk)
        address_changes.confirm(mine, code if index == 0 else "0" * len(code), now=NOW)

    return debtor, refusals(at_once(*[functools.partial(confirm, index) for index in range(20)]))


def test_simultaneous_tries_of_a_code_are_all_counted():
    debtor, refused = race_of_codes()

    assert {type(each) for each in refused} == {address_changes.WrongCode}
    assert AddressChange.objects.get().tries <= 5
    debtor.refresh_from_db()
    assert (debtor.email == "new@mail.example") == (len(refused) == 19)


def nearly_all(debtor: Debtor) -> list[Any]:
    """Hand in all files of a day but one; return three calls that hand in one more each."""
    for _ in range(documents.LIMIT.maximum - 1):
        factories.document(debtor=debtor, now=NOW)
    file = documents.examine("a.pdf", b"%PDF-1.7 %%EOF")
    return [functools.partial(documents.keep, debtor, file, now=NOW)] * 3


def test_files_at_once_stay_within_the_limit():
    at_once(*nearly_all(factories.debtor()))

    assert Document.objects.count() == documents.LIMIT.maximum


def test_without_the_lock_more_files_pass(monkeypatch: pytest.MonkeyPatch):
    calls = nearly_all(factories.debtor())
    count_together(monkeypatch, len(calls))
    at_once(*calls)

    assert Document.objects.count() == documents.LIMIT.maximum + 2
