"""Two Supervisors who dismiss each other at once, and two uses of one code: one of the two is refused."""

from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils.timezone import now
from django_otp.plugins.otp_totp.models import TOTPDevice

from agents import second_factor, staff
from agents.models import Agent
from ddc.common.errors import DomainError
from ddc.common.postgresql import advisory_locks
from tests import factories
from tests.agents.second_factors import App, equip
from tests.races.threads import at_once, refusals

pytestmark = pytest.mark.django_db(transaction=True)


def demote(agent: Agent, by: Agent | None) -> None:
    staff.change_role(agent, role="Agent", by=by)


def deactivate(agent: Agent, by: Agent | None) -> None:
    staff.deactivate(agent, by=by)


def left() -> int:
    return Agent.objects.filter(groups__name="Supervisor", is_active=True).count()


def dismiss_each_other(first: Any, second: Any, *, by_command: bool = False) -> list[Any]:
    one, other = factories.agent("Supervisor"), factories.agent("Supervisor")
    by = (None, None) if by_command else (one, other)
    return at_once(lambda: first(other, by[0]), lambda: second(one, by[1]))


@pytest.mark.parametrize("by_command", [False, True])
@pytest.mark.parametrize(("first", "second"), [(deactivate, deactivate), (demote, demote), (deactivate, demote)])
def test_of_two_supervisors_who_dismiss_each_other_one_stays(first: Any, second: Any, by_command: bool):
    for _ in range(3):
        Agent.objects.update(is_active=False)

        results = dismiss_each_other(first, second, by_command=by_command)

        (refusal,) = refusals(results)
        assert isinstance(refusal, DomainError)
        assert left() == 1


def test_without_the_lock_both_may_be_dismissed(monkeypatch: pytest.MonkeyPatch):
    looked = Barrier(2)
    found = staff.other_supervisors

    def look_and_wait(agent: Agent) -> bool:
        result = found(agent)
        looked.wait(timeout=10)
        return result

    monkeypatch.setattr(advisory_locks, "lock", lambda *_: None)
    monkeypatch.setattr(staff, "other_supervisors", look_and_wait)

    assert refusals(dismiss_each_other(deactivate, deactivate)) == []
    assert left() == 0


@pytest.mark.parametrize("of_app", [True, False])
def test_of_simultaneous_uses_of_one_code_one_succeeds(of_app: bool):
    for _ in range(3):
        agent = factories.agent()
        app, codes = equip(agent)
        code = app.code() if of_app else codes[0]

        results = at_once(*[partial(second_factor.verify, agent, code, now=now())] * 4)

        assert len(refusals(results)) == 3
        assert all(isinstance(refusal, second_factor.WrongCode) for refusal in refusals(results))


def test_wrong_codes_at_once_are_all_counted():
    agent = factories.agent()
    app, _ = equip(agent)

    at_once(*[lambda: second_factor.verify(agent, app.wrong(), now=now())] * 5)

    with pytest.raises(DomainError) as refusal:
        second_factor.verify(agent, app.code(), now=now())
    assert refusal.value.status == 429


def test_of_two_set_ups_at_once_one_counts():
    agent = factories.agent()
    apps = [App() for _ in range(3)]

    results = at_once(*[partial(second_factor.set_up, agent, key=app.key, code=app.code()) for app in apps])

    assert [type(refusal) for refusal in refusals(results)] == [second_factor.AlreadySetUp] * 2
    assert second_factor.status(agent).recovery_codes == 10
    assert TOTPDevice.objects.filter(user=agent).count() == 1
