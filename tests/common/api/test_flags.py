"""A flag is true or false; anything else breaks the rule ``boolean``, in queries and in bodies."""

import django_filters
import pytest
from rest_framework import serializers

from ddc.common.api.filters import FilterSet
from ddc.common.api.rendering import camel
from tests.common.api.test_misspelled import kinds
from tests.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("given", ["maybe", "TRUE", "1", "yes", "truefalse", "true%0A"])
def test_a_flag_that_is_neither_true_nor_false_breaks_the_rule_boolean(api: Api, given: str):
    answer = api.get(f"/communication-templates?is_active={given}")

    assert answer.status_code == 422
    assert [(error["field"], error["rule"]) for error in answer.json()["errors"]] == [("is_active", "boolean")]
    assert api.get("/communication-templates?is_active=").status_code == 200


@pytest.mark.parametrize("given", ["maybe", "true", 1, 0, [], {}])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/segments", "isActive"), ("/strategy-rules", "isActive"), ("/communication-templates", "isActive"),
        ("/communication-templates", "isValidationNotice"), ("/communication-templates", "overshadows"),
        ("/communication-templates", "asksForPayment"), ("/communication-templates/process", "send"),
        ("/strategy/runs", "dryRun"), ("/interest-schedules", "onCosts"), ("/interest-schedules", "halfYearly"),
        ("/cost-rules", "baseLessPaidInTime"),
    ],
)  # fmt: skip
def test_every_flag_of_a_body_breaks_the_rule_boolean(api: Api, path: str, field: str, given: object):
    answer = api.post(path, {field: given})

    assert answer.status_code == 422
    assert (field, "boolean") in [(error["field"], error["rule"]) for error in answer.json()["errors"]]


def test_every_flag_of_the_api_is_tested_above():
    flags = {
        camel(name)
        for kind in kinds()
        for name, field in kind().fields.items()
        if isinstance(field, serializers.BooleanField) and not field.read_only
    }
    # Parts of the table of a cost rule and of the conditions of a strategy rule, and so not at the top of a body.
    flags -= {"below", "isSent"}
    flags -= {"messagesStopped"}  # Of debtors: tests/portal/test_details.py.
    assert flags == {
        *("isActive", "isValidationNotice", "overshadows", "asksForPayment", "send", "dryRun"),
        *("onCosts", "halfYearly", "baseLessPaidInTime"),
    }
    filters = [found for each in FilterSet.__subclasses__() for found in each.base_filters.values()]
    assert filters
    assert not [found for found in filters if isinstance(found, django_filters.BooleanFilter)], "use YesNoFilter"
