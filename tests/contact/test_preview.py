"""Previews: may we contact this debtor now, by which channel, and if not, why and when next?"""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from collection.models import Hold
from communications.models import CommunicationLog
from communications.outbox import may_go
from contact import policies
from contact.engine import gate
from contact.engine.decision import Verdict
from contact.models import ContactDecision, ContactPreference
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

    def test_each_channel_says_how_sure_it_is_and_what_was_assumed(self, api):
        debtor = factories.debtor(
            country_code="US", region_state="MA", city="Boston", mobile_phone="+12135550123", email="a@example.com"
        )
        factories.consent(debtor, "sms", NOON - timedelta(days=70), checked_at=NOON - timedelta(days=2))
        found = asked(api, debtor)
        channels = by_channel(found["channels"])

        assert found["assumptions"] == [
            "Place: Boston, Massachusetts, US", "2 time zones are possible, the hours have to suit each",
        ]  # fmt: skip
        assert channels["sms"]["consent"] == {
            "givenAt": "2025-11-05T12:00:00.000Z", "confirmedAt": "2026-01-12T12:00:00.000Z", "basis": "debtor",
        }  # fmt: skip
        assert channels["sms"]["assumptions"][0] == "Consent given on 2025-11-05, last confirmed on 2026-01-12"
        assert channels["email"]["consent"] is None
        assert channels["email"]["assumptions"] == ["No consent to this channel at this address"]
        assert channels["voice"]["assumptions"][1] == "The number counts as mobile phone"
        # It is 4:00 in Los Angeles. The hours and the consent to calls by machine were read in the law itself.
        assert {reason["confidence"] for reason in channels["sms"]["reasons"]} == {"", "primary"}
        missing = next(one for one in channels["voice"]["reasons"] if one["code"] == "CONSENT_MISSING")
        assert (missing["section"], missing["confidence"]) == ("47 CFR 64.1200(a)(1)(iii)", "primary")
        assert channels["voice"]["confidence"] == "primary"

    def test_the_rules_that_the_channels_name_are_explained_once(self, api):
        debt = factories.debt()
        found = asked(api, debt.debtor)
        rules = {rule["policy"]: rule for rule in found["rules"]}
        named = [
            name for of in (found, found["debts"][0]) for channel in of["channels"] for name in channel["policies"]
        ]

        assert len(found["rules"]) == len(rules) == len(set(named))
        assert rules.keys() == set(named)
        assert rules["AGENCY/08:00-21:00@1"] == {
            "policy": "AGENCY/08:00-21:00@1", "section": "the agency's own policy", "confidence": "",
            "demands": "Mon-Sun 08:00-21:00",
        }  # fmt: skip
        assert rules["UK-CONC/call-hours@1"]["confidence"] == "memory"
        assert by_channel(found["channels"])["voice"]["confidence"] == "memory"
        about_debt = by_channel(found["debts"][0]["channels"])["email"]["assumptions"]
        assert about_debt[1] == "The creditor's kind of debt is not entered, so the rules of every kind apply"

    def test_an_unknown_region_place_and_clock_are_named(self, api):
        nowhere = factories.debtor(country_code="US", region_state="Nowhere", mobile_phone=None)
        unknown = factories.debtor(country_code=None, mobile_phone=None)

        assert asked(api, nowhere)["assumptions"][0] == "Place: region unknown (the rules of every region count), US"
        assert asked(api, unknown)["assumptions"] == [
            "The place is not known, so no country's rules could be chosen", "Time zone: not known",
        ]  # fmt: skip

    def test_a_preference_is_among_the_rules(self, api):
        debtor = factories.debtor()
        ContactPreference.objects.create(debtor=debtor, statement="Evenings.", opens=time(17), closes=time(20))
        found = asked(api, debtor)

        assert "Mon-Sun 17:00-20:00" in {rule["demands"] for rule in found["rules"]}
        assert by_channel(found["channels"])["email"]["confidence"] == ""

    def test_a_hold_says_how_its_section_was_read(self, api):
        debtor = factories.debtor()
        Hold.objects.create(debtor=debtor, reason="moratorium", starts_on=NOON.date())
        email = by_channel(asked(api, debtor)["channels"])["email"]

        assert [(one["section"], one["confidence"]) for one in email["reasons"]] == [
            ("SI 2020/1311 (UK), reg. 7", "secondary")
        ]
        assert email["confidence"] == "secondary"

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
            "confidence": "",
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
