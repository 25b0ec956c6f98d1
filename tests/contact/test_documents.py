"""The tables of docs/contact-rules.md."""

import re

import pytest
from django.core.management import CommandError, call_command

from contact import documents, policy_packs
from contact.limitation import PERIODS


def test_the_documents_are_up_to_date():
    call_command("contact_rules", check=True)


def test_every_rule_of_every_pack_and_every_period_is_in_the_documents():
    page = documents.PAGE.read_text(encoding="utf-8")

    for jurisdiction, code, fields in policy_packs.read():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{jurisdiction}/{code}` |")]
        assert fields["section"] in line
        assert f"{fields['confidence']}, {fields['checked_on']}" in line
    for period in PERIODS:
        assert re.search(rf"\| {period.years} years.* \| {re.escape(period.section)} \| {period.confidence}", page)


def test_an_edited_table_is_noticed_and_written_again(tmp_path, monkeypatch):
    current = documents.PAGE.read_text(encoding="utf-8")
    page = tmp_path / "contact-rules.md"
    page.write_text(current.replace("`DEFAULT/day`", "`DEFAULT/never`"), encoding="utf-8")
    monkeypatch.setattr(documents, "PAGE", page)

    with pytest.raises(CommandError, match="not up to date"):
        call_command("contact_rules", check=True)
    call_command("contact_rules")
    assert page.read_text(encoding="utf-8") == current


def test_a_page_without_the_marks_is_refused():
    with pytest.raises(documents.MarksMissing):
        documents.updated("# Contact rules\n")
