"""Creditors in the back office: aliases, the number of debts, and who may change them."""

from creditors.models import Creditor
from tests import factories
from tests.admin.conftest import Browser, address, errors, said


def test_an_agent_creates_a_creditor_with_aliases(agent_at_desk: Browser):
    values = {"name": "Acme Ltd", "code": "A1", "aliases": "Acme Energy\r\n\r\n ACME LTD. \r\nAcme Gas"}
    assert agent_at_desk.post(address(Creditor, "add"), values).status_code == 302
    creditor = Creditor.objects.get()
    assert (creditor.name, creditor.code, creditor.aliases) == ("Acme Ltd", "A1", ["Acme Energy", "Acme Gas"])
    assert agent_at_desk.get(address(Creditor, "change", creditor.pk)).status_code == 200
    assert agent_at_desk.post(address(Creditor, "change", creditor.pk), values).status_code == 403


def test_a_supervisor_changes_name_and_aliases(supervisor_at_desk: Browser):
    creditor = factories.creditor("Acme Ltd", aliases=["Acme Energy"])
    page = address(Creditor, "change", creditor.pk)
    assert "Acme Energy" in supervisor_at_desk.get(page).content.decode()
    assert supervisor_at_desk.post(page, {"name": "Acme Group", "code": "", "aliases": ""}).status_code == 302
    creditor.refresh_from_db()
    assert (creditor.name, creditor.code, creditor.aliases) == ("Acme Group", None, ["Acme Ltd"])


def test_the_name_of_another_creditor_is_refused_at_its_field(supervisor_at_desk: Browser):
    factories.creditor("Acme", aliases=["Beta"])
    answer = supervisor_at_desk.post(address(Creditor, "add"), {"name": "BETA", "code": "", "aliases": ""})
    assert errors(answer) == {"name": ["Another creditor has this name or alias."]}
    too_long = {"name": "Gamma", "code": "", "aliases": "x" * 256}
    assert list(errors(supervisor_at_desk.post(address(Creditor, "add"), too_long))) == ["aliases"]


def test_the_list_shows_debts_and_aliases_and_is_searched_by_any_spelling(agent_at_desk: Browser):
    acme = factories.creditor("Acme Ltd", aliases=["Société Générale"])
    factories.creditor("Beta", code="B-7")
    for _ in range(2):
        factories.debt(original_creditor="ACME LTD.")
    for text, found in (("SOCIETE GEN", [acme]), ("acme", [acme]), ("B-7", ["Beta"]), ("gamma", [])):
        rows = agent_at_desk.list(Creditor, q=text).context["cl"].result_list
        assert [row.name for row in rows] == [getattr(one, "name", one) for one in found]
    content = agent_at_desk.list(Creditor, q="acme").content.decode()
    assert "Société Générale" in content
    page = agent_at_desk.get(address(Creditor, "change", acme.pk))
    (listing,) = page.context["listings"]
    assert listing.title == "Debts (2)"
    assert agent_at_desk.client.get(listing.more).context["cl"].result_count == 2


def test_a_creditor_with_debts_is_not_deleted(supervisor_at_desk: Browser):
    creditor = factories.debt().creditor
    answer = supervisor_at_desk.client.post(address(Creditor, "delete", creditor.pk), {"post": "yes"}, follow=True)
    assert said(answer) == ["This creditor has debts and can't be deleted."]
    assert Creditor.objects.count() == 1
