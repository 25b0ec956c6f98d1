"""Queries that no client sends by accident."""

import pytest

from tests import factories

pytestmark = pytest.mark.django_db


def errors(answer):
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("path", ["/debtors", "/debts", "/payments", "/communication-templates"])
def test_half_a_surrogate_pair_is_refused(api, settings, path: str, fast: bool):
    settings.FAST_READS = fast
    factories.debt()

    answer = api.get(f"{path}?limit=5&search=a%ED%A0%80&page=1")

    assert (answer.status_code, errors(answer)) == (422, [("search", "regex")])
    assert api.get(f"{path}?search=%ED%9F%BF").status_code == 200
    assert api.get(f"{path}?%ed%bf%bf=1").status_code == 422


@pytest.mark.parametrize("path", ["/debtors", "/debts", "/communication-templates", "/strategy/runs", "/auth/me"])
def test_a_query_with_thousands_of_parameters_is_not_our_error(api, path: str):
    assert api.get(f"{path}?{'&'.join(f'x{number}=1' for number in range(3_000))}").status_code in (200, 400)
