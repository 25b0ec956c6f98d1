"""The change log in the back office: who sees it, and how it reads."""

import pytest

from audit.models import AuditEvent
from debtors.models import Debtor
from tests import factories
from tests.admin.conftest import Browser, address

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(supervisor_at_desk: Browser) -> Debtor:
    """A debtor whom a supervisor has moved to Bath."""
    debtor = factories.debtor(city="York", email="jane@example.com")
    other = factories.debtor(city="Leeds")
    for person, city in ((debtor, "Bath"), (other, "Hull")):
        page = address(Debtor, "change", person.pk)
        form = supervisor_at_desk.get(page).context["adminform"].form
        fields = {name: form.initial.get(name) or "" for name in form.fields} | {"city": city}
        assert supervisor_at_desk.post(page, fields).status_code == 302
    return debtor


def shown(browser: Browser, **query: object) -> list[AuditEvent]:
    return list(browser.list(AuditEvent, **query).context["cl"].result_list)


def test_changes_are_listed_by_person_and_by_actor(changed: Debtor, supervisor_at_desk: Browser):
    agent = supervisor_at_desk.agent
    assert len(shown(supervisor_at_desk)) == 4
    assert {event.person_id for event in shown(supervisor_at_desk, person_id__exact=changed.pk)} == {changed.pk}
    assert {event.operation for event in shown(supervisor_at_desk, actor_id__exact=agent.pk)} == {"update"}
    for words, count in (
        ("jane@example", 2),
        (agent.username, 2),
        (str(changed.pk), 2),
        (str(agent.pk), 2),
        ("nobody", 0),
    ):
        assert len(shown(supervisor_at_desk, q=words)) == count, words


def test_a_change_is_read_as_before_and_after(changed: Debtor, supervisor_at_desk: Browser):
    event = AuditEvent.objects.get(person_id=changed.pk, operation="update")
    page = supervisor_at_desk.get(address(AuditEvent, "change", event.pk)).content.decode()
    assert '<th scope="row">City</th><td>York</td><td>Bath</td>' in page
    assert supervisor_at_desk.agent.username in page
    assert "City: York → Bath" in supervisor_at_desk.list(AuditEvent).content.decode()


def test_what_a_debtor_typed_is_shown_as_text(supervisor_at_desk: Browser):
    debtor = factories.debtor(city="<script>alert(1)</script>")
    event = AuditEvent.objects.get(person_id=debtor.pk)
    for page in (
        address(AuditEvent, "change", event.pk),
        address(AuditEvent, "changelist"),
        address(Debtor, "change", debtor.pk),
    ):
        assert "<script>alert(1)" not in supervisor_at_desk.get(page).content.decode()


@pytest.mark.parametrize(("role", "sees"), [("Supervisor", True), ("Auditor", True), ("Agent", False)])
def test_supervisors_and_auditors_see_changes_and_agents_do_not(role: str, sees: bool, changed: Debtor, sign_in):
    browser = sign_in(role)
    event = AuditEvent.objects.filter(person_id=changed.pk).first()
    for page in (address(AuditEvent, "changelist"), address(AuditEvent, "change", event.pk)):
        assert browser.get(page).status_code == (200 if sees else 403)
    debtors_page = browser.get(address(Debtor, "change", changed.pk), panel="audit").content.decode()
    assert (f"/admin/audit/auditevent/?person_id__exact={changed.pk}" in debtors_page) == sees
    menu = browser.get("/admin/").context["sidebar_navigation"]
    assert ("Changes" in [item["title"] for section in menu for item in section["items"]]) == sees


def test_nobody_changes_the_log_in_the_back_office(changed: Debtor, supervisor_at_desk: Browser):
    event = AuditEvent.objects.first()
    for page in ("change", "delete"):
        assert (
            supervisor_at_desk.post(address(AuditEvent, page, event.pk), {"source": "sql", "post": "yes"}).status_code
            == 403
        )
    assert supervisor_at_desk.get(address(AuditEvent, "add")).status_code == 403


def test_the_change_of_a_deleted_debtor_stays_readable(changed: Debtor, supervisor_at_desk: Browser):
    supervisor_at_desk.act("delete_selected", [changed], post="yes")
    event = AuditEvent.objects.get(row_id=str(changed.pk), operation="delete")
    page = supervisor_at_desk.get(address(AuditEvent, "change", event.pk)).content.decode()
    assert "jane@example.com" in page
    assert f"{changed.pk}, deleted" in page
