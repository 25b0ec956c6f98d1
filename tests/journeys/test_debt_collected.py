"""The main process from end to end: place debts, send, sign in, request time, decide, record a payment, read the totals."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now

from tests import factories
from tests.journeys.site import Site, running, wait_for

TODAY = now().date()
CREDITOR = "Northern Water"


def sign_in(site: Site, username: str) -> None:
    answer = site("POST", "/auth/token", {"username": username, "password": factories.PASSWORD})
    assert answer.status == 200, answer.content
    site.token = answer.json()["access"]


def place_debts(site: Site, folder: Path) -> str:
    """Import a file with two debts, of which one is due for a message; return the id of that one."""
    placed = TODAY - timedelta(days=7)
    file = folder / "placements.csv"
    file.write_text(
        "email,firstName,lastName,mobilePhone,countryCode,languagePreference,originalCreditor,externalReference,"
        "currencyCode,originalBalance,placementDate\n"
        f"ana@example.com,Ana,Lopes,+447700900001,GB,en,{CREDITOR},W-1,GBP,250.00,{placed}\n"
        f"bob@example.com,Bob,Brown,+447700900002,GB,en,{CREDITOR},W-2,GBP,80.00,{placed - timedelta(days=60)}\n"
    )
    site.manage("import_placements", str(file))
    (debt,) = [debt for debt in site("GET", "/debts").json()["data"] if debt["externalReference"] == "W-1"]
    return str(debt["id"])


def set_up_strategy(site: Site) -> None:
    segment = site("POST", "/segments", {"name": "All"}).json()
    template = site(
        "POST",
        "/communication-templates",
        {
            "name": "first_letter",
            "communicationType": "email",
            "subject": "About {{original_creditor}}",
            "body": "Dear {{debtor_first_name}}, {{debt_amount}} is open. Sign in: {{portal_url}}",
        },
    ).json()
    rule = {
        "name": "after a week",
        "segmentId": segment["id"],
        "templateId": template["id"],
        "channel": "email",
        "trigger": {"type": "TimeTrigger", "daysSincePlacement": 7},
    }
    assert site("POST", "/strategy-rules", rule).status == 201


def code_of(site: Site, phone: str) -> str:
    """Request a one-time code and read it from the SMS."""
    before = len(site.twilio.orders)
    assert site("POST", "/debtors/auth/request-otp", {"mobilePhone": phone}).status == 200
    sms = wait_for(lambda: [order for order in site.twilio.orders[before:] if order.fields["To"] == phone])[0]
    found = re.search(r"\b\d{6}\b", sms.fields["Body"])
    assert found
    return found.group()


@pytest.mark.django_db(transaction=True)
def test_a_debt_is_collected(tmp_path: Path):
    factories.agent("Supervisor", username="sue")
    factories.agent("Agent", username="ann")
    with running(CONTACT_WINDOW="00:00-23:59") as site:
        sign_in(site, "sue")
        debt = place_debts(site, tmp_path)
        set_up_strategy(site)
        debtor = site("GET", f"/debts/{debt}").json()["debtorId"]

        # The strategy writes once to the debtor whose debt is due, and to no other.
        site.manage("run_strategy")
        mail = wait_for(lambda: site.smtp.mails)[0]
        assert mail["To"] == "ana@example.com"
        assert "£250.00" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        site.manage("run_strategy")

        # The debtor signs in with a one-time code and requests more time.
        staff, site.token = site.token, None
        code = code_of(site, "+447700900001")
        signed_in = site("POST", "/debtors/auth/verify-otp", {"mobilePhone": "+447700900001", "otpCode": code})
        assert signed_in.status == 200, signed_in.content
        site.token = signed_in.json()["token"]
        (mine,) = site("GET", "/debtors/me/debts").json()["debts"]
        assert (mine["id"], mine["currentBalance"]) == (debt, "250.00")
        body = {"debtId": debt, "requestedDeferralDays": 30, "reason": "I start a new job next month."}
        request = site("POST", "/debtors/me/deferral-requests", body).json()["requestId"]
        assert site("GET", f"/debts/{debt}").status == 401

        # An agent approves. The debtor is notified, and the strategy leaves the debt out.
        sign_in(site, "ann")
        approved = site("PUT", f"/deferral-requests/{request}/approve", {"reviewNotes": "Of course."})
        assert approved.status == 200, approved.content
        assert approved.json()["debt"]["dueDate"] == str(TODAY + timedelta(days=30))
        notice = wait_for(lambda: site.smtp.mails[1:])[0]
        assert notice["To"] == "ana@example.com"

        # A payment is recorded, and everything that shows it agrees.
        paid = site(
            "POST", "/payments", {"debtId": debt, "amount": 100, "processorTxnId": "T-1"}, **{"Idempotency-Key": "1"}
        )
        assert paid.status == 201, paid.content
        shown = site("GET", f"/debts/{debt}").json()
        assert (shown["currentBalance"], shown["currentStatus"]) == ("150.00", "deferred")
        entries = site("GET", f"/debts/{debt}/ledger").json()["data"]
        assert [(entry["kind"], entry["amount"]) for entry in entries] == [
            ("placement", "250.00"),
            ("payment", "-100.00"),
        ]
        stats = site("GET", "/dashboard/stats").json()
        assert (stats["totalDebtors"], stats["totalActiveDebts"], stats["totalDebtAmount"]) == (2, 2, "230.00")
        logs = site("GET", f"/communication-logs?debtor_id={debtor}").json()["data"]
        assert [(log["communicationType"], log["status"]) for log in logs] == [
            ("email", "sent"), ("sms", "sent"), ("email", "sent"),
        ]  # fmt: skip
        otp = site("GET", f"/communication-logs/{logs[1]['id']}").json()
        assert code not in otp["body"]
        assert len(site.smtp.mails) == 2
        assert "no difference" in site.manage("check_ledger")
        site.token = staff
        page = site("GET", f"/debtors/{debtor}").json()
        assert (page["totals"]["totalCurrentBalance"], page["communicationLogsTotal"]) == ("150.00", 3)
