"""Previews: may we contact this debtor now, by which channel, and if not, why and when next?"""

from datetime import UTC, date, datetime, timedelta

import pytest

from collection.models import Hold
from communications.models import CommunicationLog
from communications.outbox import may_go
from contact import policies
from contact.engine import gate
from contact.engine.decision import Verdict
from contact.models import ContactDecision
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

pytestmark = pytest.mark.django_db


def asked(api, debtor):
    answer = api.get(f"/debtors/{debtor.pk}/contact-preview")
    assert answer.status_code == 200, answer.content
    return answer.json()


def by_channel(channels):
    return {channel["communicationType"]: channel for channel in channels}


def codes(channel):
    return {reason["code"] for reason in channel["reasons"]}


@pytest.mark.usefixtures("at_noon")
class TestOverHttp:
    def test_allowed_contacts_are_listed_by_channel_and_debt(self, api):
        debt = factories.debt()
        found = asked(api, debt.debtor)

        assert found["debtorId"] == str(debt.debtor_id)
        assert found["at"].startswith("2026-01-14T12:00:0")
        assert found["timeZones"] == ["Europe/London"]
        assert [one["debtId"] for one in found["debts"]] == [str(debt.pk)]
        for channels in (found["channels"], found["debts"][0]["channels"]):
            assert list(by_channel(channels)) == ["email", "sms", "voice", "call_script"]
            for channel in channels:
                assert (channel["verdict"], channel["reasons"]) == ("allow", [])
                assert channel["nextAt"] == found["at"]
        assert by_channel(found["channels"])["email"]["address"] == debt.debtor.email
        assert "UK-CONC/call-hours@1" in by_channel(found["channels"])["voice"]["policies"]
        assert not ContactDecision.objects.exists()
        assert not CommunicationLog.objects.exists()

    def test_reasons_have_section_policy_version_and_end(self, api):
        debtor = factories.debtor(country_code="US", region_state="CA", mobile_phone="+12135550123")
        text = by_channel(asked(api, debtor)["channels"])["sms"]  # 4:00 in Los Angeles

        assert (text["verdict"], text["nextAt"]) == ("deny", None)
        assert codes(text) == {"CONSENT_MISSING", "OUTSIDE_WINDOW"}
        by_law = next(reason for reason in text["reasons"] if reason["policy"] == "US-REGF/hours")
        assert (by_law["section"], by_law["version"], by_law["until"]) == ("12 CFR 1006.6(b)(1)(i)", 1, None)
        assert by_law["message"] == "It is 04:00 in America/Los_Angeles; allowed is 08:00 to 21:00."
        factories.consent(debtor, "sms", NOON - timedelta(days=1))
        text = by_channel(asked(api, debtor)["channels"])["sms"]
        assert (text["verdict"], text["nextAt"]) == ("postpone", "2026-01-14T16:00:00.000Z")

    def test_a_hold_on_one_debt_appears_only_at_that_debt(self, api):
        free = factories.debt()
        held = factories.debt(debtor=free.debtor)
        Hold.objects.create(debt=held, reason="complaint", starts_on=NOON.date(), ends_on=date(2026, 1, 20))
        found = asked(api, free.debtor)
        of_debt = {one["debtId"]: by_channel(one["channels"])["email"] for one in found["debts"]}

        assert by_channel(found["channels"])["email"]["verdict"] == "allow"
        assert of_debt[str(free.pk)]["verdict"] == "allow"
        assert codes(of_debt[str(held.pk)]) == {"DEBT_HELD"}
        assert (of_debt[str(held.pk)]["verdict"], of_debt[str(held.pk)]["nextAt"]) == (
            "deny",
            "2026-01-20T08:00:00.000Z",
        )

    def test_closed_debts_are_left_out_and_an_unknown_debtor_is_not_found(self, api):
        debt = factories.debt()
        type(debt).objects.filter(pk=debt.pk).update(current_status="recalled")

        assert asked(api, debt.debtor)["debts"] == []
        assert api.get(f"/debtors/{debt.pk}/contact-preview").status_code == 404


def test_a_message_has_its_decisions_over_http(api):
    log = queue(now=NOON.replace(hour=3))
    drain(NOON.replace(hour=3))
    drain()
    found = api.get(f"/communication-logs/{log.pk}").json()["contactDecisions"]

    assert [(one["at"], one["stage"], one["verdict"], one["until"]) for one in found] == [
        ("2026-01-14T12:00:00.000Z", "sending", "allow", None),
        ("2026-01-14T03:00:00.000Z", "sending", "postpone", "2026-01-14T08:00:00.000Z"),
    ]
    assert found[1]["reasons"] == [
        {
            "code": "OUTSIDE_WINDOW", "message": "It is 03:00 in Europe/London; allowed is 08:00 to 21:00.",
            "section": "the agency's own policy", "policy": "AGENCY/08:00-21:00", "version": 1, "until": None,
        }
    ]  # fmt: skip
    assert found[0]["policies"] == ["AGENCY/08:00-21:00@1"]


def test_the_next_contact_is_after_the_last_of_several_holds():
    debt = factories.debt()
    for reason, starts, ends in (("complaint", 14, 16), ("client_request", 16, 18), ("vulnerable", 18, 19)):
        Hold.objects.create(
            debt=debt, reason=reason, starts_on=date(2026, 1, starts), ends_on=date(2026, 1, ends)
        )  # fmt: skip
    found = may_go.previews(debt.debtor, debts=[debt], now=NOON)[-1]

    assert found.decision.verdict == Verdict.DENY
    assert found.next_at == datetime(2026, 1, 19, 8, tzinfo=UTC)


def test_a_hold_without_an_end_leaves_no_next_contact():
    debt = factories.debt()
    Hold.objects.create(debt=debt, reason="complaint", starts_on=date(2026, 1, 14), ends_on=date(2026, 1, 16))
    Hold.objects.create(debtor=debt.debtor, reason="cease", starts_on=date(2026, 1, 15))

    assert may_go.previews(debt.debtor, debts=[debt], now=NOON)[-1].next_at is None


def test_the_gate_allows_the_next_contact_at_its_time():
    debt = factories.debt(
        debtor=factories.debtor(country_code="AU", region_state="NSW", city="Sydney", mobile_phone="+61491570156")
    )
    for days in (0, 1, 3):
        CommunicationLog.objects.create(
            debtor=debt.debtor, debt=debt, communication_type="email", status="sent", body="x",
            sent_at=NOON - timedelta(days=days),
        )  # fmt: skip
    email, *_ = may_go.previews(debt.debtor, now=NOON)

    assert email.decision.verdict == Verdict.POSTPONE
    assert email.next_at == email.decision.until == datetime(2026, 1, 17, 22, tzinfo=UTC)  # Sunday, 9:00 in Sydney
    assert gate.decide(email.facts, policies.current(), email.next_at).verdict == Verdict.ALLOW
