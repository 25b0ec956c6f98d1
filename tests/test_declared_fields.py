"""The fields of a debtor and a debt: the model declares them; serializer, placement file and back office have all of them.

Each list of exceptions names the reason. A field that people do not enter is `editable=False` in its model.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import RequestFactory

from agents.models import Agent
from collection.models import Debt
from collection.placements.file import OF_ACCOUNT, OF_DEBT, OF_DEBTOR
from collection.serializers import DebtSerializer
from ddc.common.api.fields import TextField
from ddc.common.api.rendering import camel
from ddc.common.api.serializers import CamelSerializer
from debtors.models import Debtor
from debtors.serializers import DebtorSerializer

MODELS = (Debtor, Debt)
SERIALIZERS: dict[type[models.Model], type[CamelSerializer]] = {Debtor: DebtorSerializer, Debt: DebtSerializer}
COLUMNS: dict[type[models.Model], dict[str, str]] = {Debtor: OF_DEBTOR, Debt: OF_DEBT}

#: The API and the file name a creditor by its name.
BY_NAME = {"creditor": "original_creditor"}
#: The row is changed only if its updatedAt is still the one that the client sends.
NO_FIELD_OF_THE_MODEL = {Debt: {"updatedAt"}}
#: A placement file finds the debtor by e-mail address or phone.
NOT_IN_THE_FILE = {Debt: {"debtor"}}
#: The input may have the form of any country; the domain function shortens it to E.164.
LONGER_AS_INPUT = {"mobile_phone"}
#: The API gives these a default.
OPTIONAL_AS_INPUT = {"currency_code", "current_balance", "current_status", "placement_date"}


def inputs(model: type[Any]) -> "dict[str, models.Field[Any, Any]]":
    return {field.name: field for field in model.input_fields()}


def outside(field: "models.Field[Any, Any]") -> str:
    return camel(BY_NAME.get(field.name, field.attname))


@pytest.mark.parametrize("model", MODELS)
def test_the_serializer_reads_and_writes_each_field(model: type[models.Model]) -> None:
    fields = SERIALIZERS[model]().fields
    readable = {name for name, field in fields.items() if not field.write_only}
    writable = {name for name, field in fields.items() if not field.read_only}
    expected = {outside(field) for field in inputs(model).values()}
    assert expected <= readable
    assert writable - NO_FIELD_OF_THE_MODEL.get(model, set()) == expected


@pytest.mark.parametrize("model", MODELS)
def test_the_serializer_takes_what_the_model_takes(model: type[models.Model]) -> None:
    fields: Any = SERIALIZERS[model]().fields
    for name, field in inputs(model).items():
        given = fields[outside(field)]
        assert given.allow_null == (field.null or name in OPTIONAL_AS_INPUT), name
        if isinstance(given, TextField) and given.max_length is not None and name not in LONGER_AS_INPUT:
            text: Any = field.related_model._meta.get_field("name") if name in BY_NAME else field
            assert given.max_length == text.max_length, name


@pytest.mark.parametrize("model", MODELS)
def test_the_placement_file_has_a_column_for_each_field(model: type[models.Model]) -> None:
    fields = {outside(field): BY_NAME.get(name, field.attname) for name, field in inputs(model).items()}
    without = {camel(f"{name}_id") for name in NOT_IN_THE_FILE.get(model, set())}
    assert COLUMNS[model] == {name: column for name, column in fields.items() if name not in without}


@pytest.mark.parametrize("model", MODELS)
def test_the_documents_of_the_placement_file_name_each_column(model: type[models.Model]) -> None:
    text = (Path(__file__).parents[1] / "examples/README.md").read_text()
    named = {name for row in re.findall(r"^\| (`[^|]+) \|", text, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert set(COLUMNS[model]) <= named
    assert named == {*OF_DEBTOR, *OF_DEBT, *OF_ACCOUNT}


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS)
def test_the_back_office_enters_each_field(model: type[models.Model]) -> None:
    page = admin.site._registry[model]
    request = RequestFactory().get("/")
    request.user = Agent(is_superuser=True, is_active=True)
    lines = [line for _, options in page.get_fieldsets(request) for line in options["fields"]]
    shown = {name for line in lines for name in ((line,) if isinstance(line, str) else line)}
    assert shown == set(inputs(model))
    form: Any = page.get_form(request)
    assert set(form.base_fields) >= set(inputs(model))
