"""Creditors are found by any spelling, created once, and keep the names by which files know them."""

import pytest

from creditors import creditors
from creditors.models import Creditor, CreditorName
from ddc.common.errors import Duplicate
from tests import factories
from tests.conftest import Api

pytestmark = pytest.mark.django_db


class TestFinding:
    def test_spellings_of_one_name_are_one_creditor_by_its_first_spelling(self):
        found = {creditors.find_or_create(name) for name in ("Acme Energy Ltd", "ACME ENERGY LTD.", "Acme  Energy Ltd")}
        assert [creditor.name for creditor in found] == ["Acme Energy Ltd"]
        assert Creditor.objects.count() == 1

    def test_an_alias_finds_its_creditor(self):
        acme = factories.creditor("Acme Ltd", aliases=["Acme Energy"])
        assert creditors.find_or_create("ACME ENERGY") == acme

    def test_another_name_is_another_creditor(self):
        assert creditors.find_or_create("Acme") != creditors.find_or_create("Acme Energy")


class TestNames:
    @pytest.mark.parametrize("taken", ["acme ltd", "Acme Energy"])
    def test_no_two_creditors_share_a_name_or_alias(self, taken):
        factories.creditor("Acme Ltd", aliases=["Acme energy"])
        other = factories.creditor("Beta")
        with pytest.raises(Duplicate) as refusal:
            creditors.create(name=taken)
        assert refusal.value.field == "name"
        with pytest.raises(Duplicate):
            creditors.amend(other, aliases=[taken])
        assert Creditor.objects.count() == 2
        assert other.aliases == []

    def test_no_two_creditors_share_a_code(self):
        factories.creditor("Acme", code="A1")
        with pytest.raises(Duplicate) as refusal:
            creditors.create(name="Beta", code="A1")
        assert refusal.value.field == "code"

    def test_a_former_name_stays_as_an_alias(self):
        acme = creditors.amend(factories.creditor("Acme Ltd"), name="Acme Group")
        assert (acme.name, acme.aliases) == ("Acme Group", ["Acme Ltd"])
        assert creditors.find_or_create("ACME LTD") == acme

    def test_another_spelling_of_the_name_is_no_alias(self):
        acme = creditors.amend(factories.creditor("ACME LTD"), name="Acme Ltd", aliases=["acme ltd.", "Acme Energy"])
        assert (acme.name, acme.aliases) == ("Acme Ltd", ["Acme Energy"])

    def test_an_alias_that_was_removed_is_free_again(self):
        acme = factories.creditor("Acme", aliases=["Beta"])
        creditors.amend(acme, aliases=[])
        assert creditors.find_or_create("Beta") != acme


class TestDeleting:
    def test_a_creditor_without_debts_goes_with_its_names(self):
        creditors.delete(factories.creditor("Acme", aliases=["Beta"]))
        assert (Creditor.objects.count(), CreditorName.objects.count()) == (0, 0)

    def test_a_creditor_with_debts_stays(self):
        debt = factories.debt()
        with pytest.raises(creditors.CreditorInUse):
            creditors.delete(debt.creditor)
        assert creditors.find_or_create(debt.original_creditor) == debt.creditor


class TestOverTheApi:
    def place(self, api: Api, name: str, **fields):
        return api.post(
            "/debts", {"debtorId": factories.debtor().pk, "originalCreditor": name, "originalBalance": 5} | fields
        )

    def test_a_debt_answers_the_stored_name_of_its_creditor(self, api: Api):
        answers = [self.place(api, name).json() for name in ("One Ltd", "ONE LTD", " One Ltd ")]
        assert [answer["originalCreditor"] for answer in answers] == ["One Ltd"] * 3
        assert Creditor.objects.count() == 1

    def test_a_reference_is_unique_among_the_spellings_of_a_creditor(self, api: Api):
        assert self.place(api, "One Ltd", externalReference="A1").status_code == 201
        refused = self.place(api, "ONE LTD", externalReference="A1")
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "externalReference")

    def test_a_debt_that_is_refused_creates_no_creditor(self, api: Api):
        assert self.place(api, "One Ltd", currencyCode="JPY", originalBalance="0.5").status_code == 422
        assert Creditor.objects.count() == 0

    def test_another_name_moves_the_debt_and_leaves_the_creditor(self, api: Api):
        debt = self.place(api, "One Ltd").json()
        moved = api.put(f"/debts/{debt['id']}", {"originalCreditor": "Two Ltd"}).json()
        assert moved["originalCreditor"] == "Two Ltd"
        assert sorted(Creditor.objects.values_list("name", flat=True)) == ["One Ltd", "Two Ltd"]

    def test_sending_back_what_was_read_changes_nothing(self, api: Api):
        debt = self.place(api, "One Ltd").json()
        api.put(f"/debts/{debt['id']}", {"originalCreditor": "ONE  LTD"})
        assert api.get(f"/debts/{debt['id']}").json()["originalCreditor"] == "One Ltd"

    def test_kind_of_debts_and_allocation_are_read_and_set(self, api: Api):
        made = api.post("/creditors", {"name": "One Ltd", "allocationPolicy": "PRO_RATA"}).json()
        assert (made["allocationPolicy"], made["debtKind"], made["code"]) == ("PRO_RATA", "", None)
        changed = api.put(f"/creditors/{made['id']}", {"allocationPolicy": None, "debtKind": "credit"}).json()
        assert (changed["allocationPolicy"], changed["debtKind"], changed["name"]) == ("", "credit", "One Ltd")
        assert api.get("/creditors").json()["data"] == [changed]
        for wrong in ({"allocationPolicy": "X"}, {"debtKind": "x"}, {"allocationPolice": "PRO_RATA"}):
            assert api.put(f"/creditors/{made['id']}", wrong).status_code == 422, wrong
        same = api.post("/creditors", {"name": "ONE LTD"})
        assert (same.status_code, same.json()["errors"][0]["field"]) == (422, "name")
