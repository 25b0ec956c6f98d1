"""Named cases of contact law in thirty markets: where a person is, what is planned, and what the law answers.

Zones and places are derived by the product from address and phone. Each case is below a comment with its section.
"""

import uuid
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contact import facts as contact_facts
from contact.engine import gate
from contact.engine.decision import Contact, ContactBlock, Facts, Purpose, ReasonCode, Verdict
from contact.engine.policies import NumberKind, Scope, Subject
from debtors.models import Debtor
from tests.contact.test_gate import SHIPPED

A, B = uuid.UUID(int=1), uuid.UUID(int=2)
BANK, SHOP = uuid.UUID(int=11), uuid.UUID(int=12)
#: Long consented, and noticed: the case is about something else.
CONSENTED = {"consented_at": datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))}
NOTICED = {"notice_sent_at": datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))}
NJ = {"country_code": "US", "region_state": "NJ", "mobile_phone": "+12015550123"}
NEW_YORK_CITY = {"country_code": "US", "region_state": "NY", "city": "New York", "postal_code": "10001"}
BUFFALO = {"country_code": "US", "region_state": "NY", "city": "Buffalo", "postal_code": "14201"}
SEATTLE = {"country_code": "US", "region_state": "WA", "city": "Seattle", "postal_code": "98101"}
BOSTON = {"country_code": "US", "region_state": "MA", "city": "Boston", "postal_code": "02115"}
WASHINGTON = {"country_code": "US", "region_state": "DC", "city": "Washington", "postal_code": "20001"}
LOS_ANGELES = {"country_code": "US", "region_state": "CA", "city": "Los Angeles", "postal_code": "90001"}
TORONTO = {"country_code": "CA", "region_state": "ON", "city": "Toronto", "postal_code": "M5V 2T6"}
MONTREAL = {"country_code": "CA", "region_state": "QC", "city": "Montreal", "postal_code": "H2Y 1C6"}
VANCOUVER = {"country_code": "CA", "region_state": "BC", "city": "Vancouver", "postal_code": "V5K 0A1"}
CALGARY = {"country_code": "CA", "region_state": "AB", "city": "Calgary", "postal_code": "T2P 1J9"}
SYDNEY = {"country_code": "AU", "region_state": "NSW", "city": "Sydney", "postal_code": "2000"}
MELBOURNE = {"country_code": "AU", "region_state": "VIC", "city": "Melbourne", "postal_code": "3000"}
PERTH = {"country_code": "AU", "region_state": "WA", "city": "Perth", "postal_code": "6000"}
LONDON = {"country_code": "GB", "city": "London"}
DUBLIN = {"country_code": "IE", "city": "Dublin"}
ATHENS = {"country_code": "GR", "city": "Athens"}
CLUJ = {"country_code": "RO", "city": "Cluj"}
MUNICH = {"country_code": "DE", "region_state": "BY", "city": "München"}
MUMBAI = {"country_code": "IN", "region_state": "MH", "city": "Mumbai"}
BANGKOK = {"country_code": "TH", "city": "Bangkok"}
BOGOTA = {"country_code": "CO", "city": "Bogotá"}
LIMA = {"country_code": "PE", "city": "Lima"}
QUITO = {"country_code": "EC", "city": "Quito", "region_state": "P"}
SANTIAGO = {"country_code": "CL", "city": "Santiago", "region_state": "RM"}
KUWAIT = {"country_code": "KW"}
RIYADH = {"country_code": "SA"}
MANILA = {"country_code": "PH"}
JAKARTA = {"country_code": "ID", "region_state": "JK", "city": "Jakarta"}
DUBAI = {"country_code": "AE"}
AT_WORK = Subject(NumberKind.WORK)


def at(zone, text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def planned(where, channel, **values):
    debtor = Debtor(first_name="Ann", last_name="Doe", **where)
    known = Facts(
        channel=channel, address="the address", zones=contact_facts.zones(debtor), locations=contact_facts.locations(debtor),
        subject=Subject(number_kind="" if channel == "email" else "mobile", debtor_kind="person"), debt_id=A, creditor_id=BANK,
    )  # fmt: skip
    return replace(known, **values)


def asked(where, channel, now, **values):
    return gate.decide(planned(where, channel, **values), SHIPPED, now)


def made(now, *channels, debt=A, creditor=BANK, **values):
    """Contacts of the days before, one a day, the newest first."""
    return tuple(
        Contact(now - timedelta(days=days), channel, debt, creditor_id=creditor, **values)
        for days, channel in enumerate(channels, start=1)
    )


def codes(decision):
    return {reason.code.value for reason in decision.reasons}


NY, LA, TOR, SYD = "America/New_York", "America/Los_Angeles", "America/Toronto", "Australia/Sydney"
WED = "2026-11-18"
WED_NOON = f"{WED} 12:00"

#: Name and law; where; channel; local time; other facts, or a function of the time that gives them; the codes of the answer.
CASES = [
    # 47 CFR 64.1200(a)(1)(iii): prior express consent for a machine-spoken call to a mobile number.
    ("1 US machine call without consent", NJ, "voice", NY, WED_NOON, {}, {"CONSENT_MISSING"}),
    ("US machine call with consent", NJ, "voice", NY, WED_NOON, CONSENTED, set()),
    ("US agent's call without consent", NJ, "call_script", NY, WED_NOON, {}, set()),
    # 47 CFR 64.1200(a)(3)(iii): three machine calls to a home line in 30 days without consent.
    ("US third machine call to a home line", NJ, "voice", NY, WED_NOON,
     lambda now: {"subject": Subject("home"), "history": made(now, "voice", "voice")}, set()),
    ("US fourth machine call to a home line", NJ, "voice", NY, WED_NOON,
     lambda now: {"subject": Subject("home"), "history": made(now, *["voice"] * 3)}, {"TOO_MANY"}),
    ("US fourth machine call to a home line with consent", NJ, "voice", NY, WED_NOON,
     lambda now: {"subject": Subject("home"), "history": made(now, *["voice"] * 3), **CONSENTED}, set()),
    # 23 NYCRR 1.6: no e-mail about credit without consent, in the whole state.
    ("3 Buffalo e-mail without consent", BUFFALO, "email", NY, WED_NOON, {}, {"CONSENT_MISSING"}),
    ("Buffalo e-mail with consent", BUFFALO, "email", NY, WED_NOON, CONSENTED, set()),
    ("Buffalo e-mail about a phone bill", BUFFALO, "email", NY, WED_NOON, {"subject": Subject(debt_kind="consumer")}, set()),
    # RCW 19.16.250: three contacts in a week in any form.
    ("4 Seattle, a call after three e-mails", SEATTLE, "call_script", LA, WED_NOON,
     lambda now: {"history": made(now, *["email"] * 3)}, {"TOO_MANY"}),
    ("Seattle, a call after two e-mails", SEATTLE, "call_script", LA, WED_NOON,
     lambda now: {"history": made(now, *["email"] * 2)}, set()),
    ("Seattle, a second contact at work", SEATTLE, "call_script", LA, WED_NOON,
     lambda now: {"history": made(now, "call_script"), "subject": Subject("work")}, {"TOO_MANY"}),
    # D.C. Code 28-3814: consent to e-mail and texts; four calls in seven days per debt.
    ("6 Washington DC e-mail without consent", WASHINGTON, "email", NY, WED_NOON, {}, {"CONSENT_MISSING"}),
    ("Washington DC fifth call", WASHINGTON, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, *["call_script"] * 4)}, {"TOO_MANY"}),
    ("Washington DC fourth call", WASHINGTON, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, *["call_script"] * 3)}, set()),
    ("Washington DC sixth e-mail", WASHINGTON, "email", NY, WED_NOON,
     lambda now: {**CONSENTED, "history": made(now, *["email", "sms"] * 2, "email")}, {"TOO_MANY"}),
    ("Washington DC fifth e-mail", WASHINGTON, "email", NY, WED_NOON,
     lambda now: {**CONSENTED, "history": made(now, *["email", "sms"] * 2)}, set()),
    # 209 CMR 18.16(1)(d): two calls or texts in seven days to a home or mobile number, two in thirty days to another one.
    ("10 Massachusetts, a call after two texts", BOSTON, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, "sms", "sms")}, {"TOO_MANY"}),
    ("Massachusetts, a call after one text", BOSTON, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, "sms")}, set()),
    ("Massachusetts, a mail after two texts", BOSTON, "email", NY, WED_NOON,
     lambda now: {"history": made(now, "sms", "sms")}, set()),
    ("Massachusetts, a third call at work in a month", BOSTON, "call_script", NY, WED_NOON,
     lambda now: {"subject": Subject("work"), "history": made(now - timedelta(days=15), "call_script", "call_script")},
     {"TOO_MANY"}),
    ("Massachusetts, the same to a mobile", BOSTON, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now - timedelta(days=15), "call_script", "call_script")}, set()),
    # 6 RCNY 5-77(b), from 1 September 2026: consent to e-mail; three contacts in seven days per account.
    ("11 Flushing without a ZIP, e-mail without consent", NEW_YORK_CITY | {"city": "Flushing", "postal_code": None}, "email", NY,
     WED_NOON, {"subject": Subject(debt_kind="consumer")}, {"CONSENT_MISSING"}),
    ("13 New York City, three contacts on A and one on B", NEW_YORK_CITY, "email", NY, WED_NOON,
     lambda now: {**CONSENTED, "debt_id": B, "history": made(now, *["email"] * 3) + made(now, "email", debt=B)}, set()),
    ("14 New York City, the fourth on one account", NEW_YORK_CITY, "email", NY, WED_NOON,
     lambda now: {**CONSENTED, "history": made(now, *["email"] * 3)}, {"TOO_MANY"}),
    ("New York City, the fourth after seven days", NEW_YORK_CITY, "email", NY, WED_NOON,
     lambda now: {**CONSENTED, "history": made(now - timedelta(days=4), *["email"] * 3)}, set()),
    ("New York City, an answer of the debtor three days ago", NEW_YORK_CITY, "email", NY, WED_NOON,
     lambda now: {**CONSENTED, "history": made(now - timedelta(days=2), "sms", attempted=False, written_by_debtor=True)},
     {"COOLING_OFF"}),
    ("New York City before its rule: the third in a week", NEW_YORK_CITY, "call_script", NY, "2026-08-12 12:00",
     lambda now: {"history": made(now, "call_script", "call_script")}, {"TOO_MANY"}),
    # Great Neck is in Nassau County: the city's rule is not its own. Regulation F alone allows seven calls.
    ("15 Great Neck 11021, the fourth call", BUFFALO | {"city": "Great Neck", "postal_code": "11021"},
     "call_script", NY, WED_NOON, lambda now: {"history": made(now, *["call_script"] * 3)}, set()),
    # 12 CFR 1006.14(b)(2): calls only, per debt and person.
    ("16 NJ, an e-mail after seven calls", NJ, "email", NY, WED_NOON,
     lambda now: {"history": made(now - timedelta(hours=1), *["call_script"] * 7)}, set()),
    ("17 NJ, talked about A, a call about B", NJ, "call_script", NY, WED_NOON,
     lambda now: {"debt_id": B, "history": made(now, "call_script", conversation=True)}, set()),
    ("NJ, talked about A, a call about A", NJ, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, "call_script", conversation=True)}, {"COOLING_OFF"}),
    # 12 CFR 1006.14(b)(3)(i): a call with consent given in the last seven days.
    ("18 NJ, asked to be called at noon", NJ, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, "call_script", conversation=True, asked_for_call=True)}, set()),
    ("DB7 NJ, rang and asked to be called", NJ, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, "call_script", conversation=True, asked_for_call=True, attempted=False)}, set()),
    ("NJ, asked to be called eight days ago, about another debt talked yesterday", NJ, "call_script", NY, WED_NOON,
     lambda now: {"history": made(now, "call_script", conversation=True)
                  + made(now - timedelta(days=7), "call_script", conversation=True, asked_for_call=True)}, {"COOLING_OFF"}),
    ("NJ, the asked-for call does not count as the seventh", NJ, "call_script", NY, WED_NOON,
     lambda now: {"history": (*made(now, *["call_script"] * 5),
                              *made(now - timedelta(days=5, hours=1), "call_script", attempted=False, asked_for_call=True))},
     set()),
    # 12 CFR 1006.6(b)(1)(i), comment 6(b)(1)-1: hours count for answers too.
    ("20 Los Angeles at two in the night, what came of their dispute", LOS_ANGELES, "sms", LA, f"{WED} 02:00",
     {"purpose": Purpose.ANSWER, "consented_at": datetime(2026, 11, 1, tzinfo=ZoneInfo("UTC"))}, {"OUTSIDE_WINDOW"}),
    ("Los Angeles at two, a one-time code", LOS_ANGELES, "sms", LA, f"{WED} 02:00", {"purpose": Purpose.CODE}, set()),
    ("Los Angeles at two in the night, the confirmation of a STOP", LOS_ANGELES, "sms", LA, f"{WED} 02:00",
     {"purpose": Purpose.CONFIRMATION}, set()),
    # 12 CFR 1006.6(c), (b)(2): cease and attorney count for answers.
    ("NJ, an answer to a person with an attorney", NJ, "email", NY, WED_NOON,
     {"purpose": Purpose.ANSWER, "blocks": (ContactBlock("attorney", Scope.PERSON, date(2026, 1, 1)),)}, {"DEBT_HELD"}),
    ("NJ, an answer after a death", NJ, "email", NY, WED_NOON,
     {"purpose": Purpose.ANSWER, "blocks": (ContactBlock("deceased", Scope.PERSON, date(2026, 1, 1)),)}, {"DECEASED"}),
    # 12 CFR 1006.14(b)(2)(i): caps do not count for an answer.
    ("NJ, an answer by an agent's eighth call", NJ, "call_script", NY, WED_NOON,
     lambda now: {"purpose": Purpose.ANSWER, "history": made(now - timedelta(hours=1), *["call_script"] * 7)}, set()),
    # 12 CFR 1006.6(b)(1): local time in the territories.
    ("22 San Juan 20:59", {"country_code": "PR"}, "email", "America/Puerto_Rico", f"{WED} 20:59", {}, set()),
    ("San Juan 21:00", {"country_code": "PR"}, "email", "America/Puerto_Rico", f"{WED} 21:00", {}, {"OUTSIDE_WINDOW"}),
    ("23 Guam Tuesday 08:00", {"country_code": "GU"}, "email", "Pacific/Guam", "2026-11-17 08:00", {}, set()),
    ("Guam Tuesday 07:59", {"country_code": "GU"}, "email", "Pacific/Guam", "2026-11-17 07:59", {}, {"OUTSIDE_WINDOW"}),
    ("25 New York with a phone of Guam", NEW_YORK_CITY | {"mobile_phone": "+16715550123"}, "call_script", NY, WED_NOON, {},
     {"OUTSIDE_WINDOW"}),
    ("26 NJ, the day the clocks go on, 07:59", NJ, "call_script", NY, "2027-03-14 07:59", {}, {"OUTSIDE_WINDOW"}),
    ("27 NJ, the day the clocks go on, 08:00", NJ, "call_script", NY, "2027-03-14 08:00", {}, set()),
    # 12 CFR 1006.34(a)(1)(i)(B): the notice in five days after the first contact.
    ("NJ, the notice is missing six days after the first contact", NJ, "email", NY, WED_NOON,
     lambda now: {"validation_notice_missing": True, "first_contacted_at": now - timedelta(days=6)}, {"VALIDATION_NOTICE_FIRST"}),
    ("NJ, the notice is missing five days after the first contact", NJ, "email", NY, WED_NOON,
     lambda now: {"validation_notice_missing": True, "first_contacted_at": now - timedelta(days=5)}, set()),
    # R.R.O. 1990, Reg. 74, s. 21: six days after a private written notice.
    ("29 Ontario, no letter sent", TORONTO, "call_script", TOR, WED_NOON, {}, {"VALIDATION_NOTICE_FIRST"}),
    ("29 Ontario, a letter two days ago", TORONTO, "call_script", TOR, WED_NOON,
     lambda now: {"notice_sent_at": now - timedelta(days=2)}, {"WAITING_PERIOD"}),
    ("Ontario, a letter five days ago", TORONTO, "call_script", TOR, WED_NOON,
     lambda now: {"notice_sent_at": now - timedelta(days=5)}, {"WAITING_PERIOD"}),
    ("Ontario, a letter six days ago", TORONTO, "call_script", TOR, WED_NOON,
     lambda now: {"notice_sent_at": now - timedelta(days=6)}, set()),
    ("Ontario, the notice itself", TORONTO, "email", TOR, WED_NOON, {"is_validation_notice": True}, set()),
    # Reg. 74, s. 22: Monday to Saturday 7 to 21, Sunday 13 to 17, no holidays; three in seven days per creditor.
    ("30 Ontario Sunday 14:00", TORONTO, "call_script", TOR, "2026-11-22 14:00", NOTICED, set()),
    ("Ontario Sunday 12:59", TORONTO, "call_script", TOR, "2026-11-22 12:59", NOTICED, {"OUTSIDE_WINDOW"}),
    ("Ontario Sunday 17:00", TORONTO, "call_script", TOR, "2026-11-22 17:00", NOTICED, {"OUTSIDE_WINDOW"}),
    ("DB9 Ontario Saturday 20:59", TORONTO, "call_script", TOR, "2026-11-21 20:59", NOTICED, set()),
    ("Ontario Family Day", TORONTO, "call_script", TOR, "2027-02-15 12:00", NOTICED, {"PUBLIC_HOLIDAY"}),
    ("31 Ontario, the fourth contact", TORONTO, "call_script", TOR, WED_NOON,
     lambda now: {**NOTICED, "history": made(now, *["call_script"] * 3)}, {"TOO_MANY"}),
    ("Ontario, the fourth contact for the same creditor about another debt", TORONTO, "call_script", TOR, WED_NOON,
     lambda now: {**NOTICED, "debt_id": B, "history": made(now, *["call_script"] * 3)}, {"TOO_MANY"}),
    ("Ontario, the first contact for another creditor", TORONTO, "call_script", TOR, WED_NOON,
     lambda now: {**NOTICED, "debt_id": B, "creditor_id": SHOP, "history": made(now, *["call_script"] * 3)}, set()),
    # RLRQ c.: 8 to 20 Monday to Saturday, no holidays, nor Easter Monday and 24 June.
    ("32 Montreal Wednesday 20:30", MONTREAL, "call_script", TOR, f"{WED} 20:30", {}, {"OUTSIDE_WINDOW"}),
    ("Montreal Saturday 18:59", MONTREAL, "call_script", TOR, "2026-11-21 18:59", {}, set()),
    ("Montreal Sunday", MONTREAL, "call_script", TOR, "2026-11-22 12:00", {}, {"WEEKDAY"}),
    ("Montreal Easter Monday", MONTREAL, "call_script", TOR, "2027-03-29 12:00", {}, {"PUBLIC_HOLIDAY"}),
    ("Montreal 24 June", MONTREAL, "call_script", TOR, "2027-06-24 12:00", {}, {"PUBLIC_HOLIDAY"}),
    # BPCPA (British Columbia) and Alta Reg 194/1999 (Alberta).
    ("Vancouver Sunday 13:00", VANCOUVER, "call_script", "America/Vancouver", "2026-11-22 13:00", NOTICED, set()),
    ("Vancouver Sunday 12:59", VANCOUVER, "call_script", "America/Vancouver", "2026-11-22 12:59", NOTICED, {"OUTSIDE_WINDOW"}),
    ("Vancouver, a letter four days ago", VANCOUVER, "call_script", "America/Vancouver", WED_NOON,
     lambda now: {"notice_sent_at": now - timedelta(days=4)}, {"WAITING_PERIOD"}),
    ("Calgary, the fourth contact", CALGARY, "email", "America/Edmonton", WED_NOON,
     lambda now: {"history": made(now, *["email"] * 3)}, {"TOO_MANY"}),
    # Consumer Protection Code, SI 81/2025: 9 to 21 Monday to Saturday, three contacts made in a calendar month.
    ("34 Dublin Tuesday 08:30", DUBLIN, "call_script", "Europe/Dublin", "2026-11-17 08:30", {}, {"OUTSIDE_WINDOW"}),
    ("Dublin Tuesday 09:00", DUBLIN, "call_script", "Europe/Dublin", "2026-11-17 09:00", {}, set()),
    ("Dublin, the fourth contact made this month", DUBLIN, "call_script", "Europe/Dublin", "2026-11-28 12:00",
     lambda now: {"history": made(now - timedelta(days=8), *["call_script"] * 3)}, {"TOO_MANY"}),
    ("Dublin, three attempts this month that reached nobody", DUBLIN, "call_script", "Europe/Dublin", "2026-11-28 12:00",
     lambda now: {"history": made(now - timedelta(days=8), *["call_script"] * 3, connected=False)}, set()),
    ("Dublin, three contacts made last month", DUBLIN, "call_script", "Europe/Dublin", "2026-12-08 12:00",
     lambda now: {"history": made(now - timedelta(days=8), *["call_script"] * 3)}, set()),
    # Law 3758/2009: working days 9 to 20, one in two days, not before the tenth day overdue.
    ("36 Athens Saturday 11:00", ATHENS, "call_script", "Europe/Athens", "2026-11-21 11:00", {}, {"WEEKDAY"}),
    ("38 Athens Wednesday 20:30", ATHENS, "call_script", "Europe/Athens", f"{WED} 20:30", {}, {"OUTSIDE_WINDOW"}),
    ("Athens, the day after a contact", ATHENS, "call_script", "Europe/Athens", WED_NOON,
     lambda now: {"history": made(now, "call_script")}, {"TOO_MANY"}),
    ("Athens, two days after a contact", ATHENS, "call_script", "Europe/Athens", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=1), "call_script")}, set()),
    ("Athens, nine days overdue", ATHENS, "call_script", "Europe/Athens", WED_NOON, {"due_on": date(2026, 11, 9)},
     {"WAITING_PERIOD"}),
    ("Athens, ten days overdue", ATHENS, "call_script", "Europe/Athens", WED_NOON, {"due_on": date(2026, 11, 8)}, set()),
    # OUG 52/2016: 9 to 20, Monday to Friday.
    ("39 Cluj Tuesday 08:30", CLUJ, "call_script", "Europe/Bucharest", "2026-11-17 08:30", {}, {"OUTSIDE_WINDOW"}),
    ("Cluj Saturday noon", CLUJ, "call_script", "Europe/Bucharest", "2026-11-21 12:00", {}, {"WEEKDAY"}),
    # Art. 139 WRV: Sundays and holidays. Corpus Christi is one in Bavaria.
    ("42 Munich, Corpus Christi", MUNICH, "call_script", "Europe/Berlin", "2026-06-04 12:00", {}, {"PUBLIC_HOLIDAY"}),
    ("Hamburg, Corpus Christi", MUNICH | {"region_state": "HH", "city": "Hamburg"}, "call_script", "Europe/Berlin",
     "2026-06-04 12:00", {}, set()),
    ("Munich 20:00", MUNICH, "call_script", "Europe/Berlin", f"{WED} 20:00", {}, {"OUTSIDE_WINDOW"}),
    # CONC has no figure.
    ("44 London, Christmas Day", LONDON, "call_script", "Europe/London", "2026-12-25 12:00", {}, set()),
    # CONC does not apply in Jersey: the strict rule of countries without a pack.
    ("Jersey, Saturday noon", {"country_code": "JE"}, "call_script", "Europe/Jersey", "2026-11-21 12:00", {}, {"WEEKDAY"}),
    # RG 96, sections 4 and 5: contacts made, per account; national holidays; at work from 9 to 17.
    ("45 Sydney, a fourth attempt after three that reached nobody", SYDNEY, "call_script", SYD, WED_NOON,
     lambda now: {"history": made(now, *["call_script"] * 3, connected=False)}, set()),
    ("Sydney, a fourth contact after three that were made", SYDNEY, "call_script", SYD, WED_NOON,
     lambda now: {"history": made(now, *["call_script"] * 3)}, {"TOO_MANY"}),
    ("Sydney, a first contact about another account", SYDNEY, "call_script", SYD, WED_NOON,
     lambda now: {"debt_id": B, "history": made(now, *["call_script"] * 3)}, set()),
    ("47 Sydney Saturday 08:30", SYDNEY, "call_script", SYD, "2026-11-21 08:30", {}, {"OUTSIDE_WINDOW"}),
    ("48 Sydney, Christmas observed on Monday", SYDNEY, "call_script", SYD, "2027-12-27 12:00", {}, {"PUBLIC_HOLIDAY"}),
    ("49 Melbourne Cup Day", MELBOURNE, "call_script", "Australia/Melbourne", "2026-11-03 12:00", {}, set()),
    ("Melbourne, Good Friday", MELBOURNE, "call_script", "Australia/Melbourne", "2027-03-26 12:00", {}, {"PUBLIC_HOLIDAY"}),
    ("Sydney at work 08:59", SYDNEY, "call_script", SYD, f"{WED} 08:59", {"subject": AT_WORK}, {"OUTSIDE_WINDOW"}),
    ("Sydney at work 17:00", SYDNEY, "call_script", SYD, f"{WED} 17:00", {"subject": AT_WORK}, {"OUTSIDE_WINDOW"}),
    ("Sydney at work 16:59", SYDNEY, "call_script", SYD, f"{WED} 16:59", {"subject": AT_WORK}, set()),
    ("51 Western Australia 07:30 Perth", PERTH, "call_script", "Australia/Perth", f"{WED} 07:30", {}, {"OUTSIDE_WINDOW"}),
    ("51 Western Australia 08:00 Perth", PERTH, "call_script", "Australia/Perth", f"{WED} 08:00", {}, set()),
    # RBI, 12 August 2022: 8 to 19; the draft of 2026: not on festivals.
    ("52 Mumbai Wednesday 19:30", MUMBAI, "call_script", "Asia/Kolkata", f"{WED} 19:30", {}, {"OUTSIDE_WINDOW"}),
    ("Mumbai Sunday 18:59", MUMBAI, "call_script", "Asia/Kolkata", "2026-11-22 18:59", {}, set()),
    ("Mumbai, Republic Day", MUMBAI, "call_script", "Asia/Kolkata", "2027-01-26 12:00", {}, {"PUBLIC_HOLIDAY"}),
    # Debt Collection Act B.E. 2558, s. 9: Monday to Friday 8 to 20, holidays 8 to 18, one a day.
    ("54 Bangkok Wednesday 20:30", BANGKOK, "call_script", "Asia/Bangkok", f"{WED} 20:30", {}, {"OUTSIDE_WINDOW"}),
    ("Bangkok Saturday 17:59", BANGKOK, "call_script", "Asia/Bangkok", "2026-11-21 17:59", {}, set()),
    ("Bangkok Saturday 18:00", BANGKOK, "call_script", "Asia/Bangkok", "2026-11-21 18:00", {}, {"OUTSIDE_WINDOW"}),
    ("Bangkok on a holiday, 18:30", BANGKOK, "call_script", "Asia/Bangkok", "2027-04-13 18:30", {}, {"OUTSIDE_WINDOW"}),
    ("Bangkok, the second on a day", BANGKOK, "call_script", "Asia/Bangkok", WED_NOON,
     lambda now: {"history": (Contact(now - timedelta(hours=2), "email", A),)}, {"TOO_MANY"}),
    # Ley 2300 de 2023: Monday to Friday 7 to 19, Saturday 8 to 15, one a day, one channel in a week.
    ("56 Bogota Wednesday 19:30", BOGOTA, "call_script", "America/Bogota", f"{WED} 19:30", {}, {"OUTSIDE_WINDOW"}),
    ("Bogota Saturday 14:59", BOGOTA, "call_script", "America/Bogota", "2026-11-21 14:59", {}, set()),
    ("Bogota Saturday 15:00", BOGOTA, "call_script", "America/Bogota", "2026-11-21 15:00", {}, {"OUTSIDE_WINDOW"}),
    ("58 Bogota, an e-mail yesterday, a call today", BOGOTA, "call_script", "America/Bogota", WED_NOON,
     lambda now: {"history": made(now, "email")}, {"OTHER_CHANNEL"}),
    ("Bogota, a machine call yesterday, an agent's today", BOGOTA, "call_script", "America/Bogota", WED_NOON,
     lambda now: {"history": made(now, "voice")}, set()),
    ("Bogota, an e-mail a week ago, a call today", BOGOTA, "call_script", "America/Bogota", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=6), "email")}, set()),
    # Ley 29571, art. 62(b): no calls on Saturdays, Sundays and holidays.
    ("59 Lima Saturday 11:00", LIMA, "call_script", "America/Lima", "2026-11-21 11:00", {}, {"WEEKDAY"}),
    ("Lima Wednesday 20:00", LIMA, "call_script", "America/Lima", f"{WED} 20:00", {}, {"OUTSIDE_WINDOW"}),
    ("Quito, the second on a day", QUITO, "email", "America/Guayaquil", WED_NOON,
     lambda now: {"history": (Contact(now - timedelta(hours=2), "email", A),)}, {"TOO_MANY"}),
    # Ley 19.496, art. 37: 8 to 20 Monday to Saturday; one call, two messages with two days between in a week.
    ("61 Santiago Wednesday 20:30", SANTIAGO, "call_script", "America/Santiago", f"{WED} 20:30", {}, {"OUTSIDE_WINDOW"}),
    ("Santiago, the second call in a week", SANTIAGO, "call_script", "America/Santiago", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=5), "call_script")}, {"TOO_MANY"}),
    ("Santiago, a message two days after another", SANTIAGO, "sms", "America/Santiago", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=1), "email")}, {"TOO_MANY"}),
    ("Santiago, a message three days after another", SANTIAGO, "sms", "America/Santiago", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=2), "email")}, set()),
    # Rest days by custom.
    ("62 Kuwait Friday 12:30", KUWAIT, "call_script", "Asia/Kuwait", "2026-11-20 12:30", {}, {"WEEKDAY"}),
    ("Kuwait Sunday 12:30", KUWAIT, "call_script", "Asia/Kuwait", "2026-11-22 12:30", {}, set()),
    ("Riyadh Saturday", RIYADH, "call_script", "Asia/Riyadh", "2026-11-21 12:00", {}, {"WEEKDAY"}),
    # SAMA rule 1.3: ten calls in 30 days.
    ("Riyadh, the eleventh call in 30 days", RIYADH, "call_script", "Asia/Riyadh", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=15), *["call_script"] * 10)}, {"TOO_MANY"}),
    ("Riyadh, the tenth call in 30 days", RIYADH, "call_script", "Asia/Riyadh", WED_NOON,
     lambda now: {"history": made(now - timedelta(days=15), *["call_script"] * 9)}, set()),
    # POJK 22/2023, art. 62(2): 8 to 20 Monday to Saturday.
    ("Jakarta Saturday 17:59", JAKARTA, "call_script", "Asia/Jakarta", "2026-11-21 17:59", {}, set()),
    ("Jakarta Sunday", JAKARTA, "call_script", "Asia/Jakarta", "2026-11-22 12:00", {}, {"WEEKDAY"}),
    # Countries without a pack: Monday to Friday 9 to 18, no holidays, one a day.
    ("65 South Africa, Women's Day observed", {"country_code": "ZA"}, "call_script", "Africa/Johannesburg",
     "2026-08-10 12:00", {}, {"PUBLIC_HOLIDAY"}),
    ("Dubai 18:00", DUBAI, "email", "Asia/Dubai", f"{WED} 18:00", {}, {"OUTSIDE_WINDOW"}),
    ("Dubai, the second on a day", DUBAI, "email", "Asia/Dubai", WED_NOON,
     lambda now: {"history": (Contact(now - timedelta(hours=2), "email", A),)}, {"TOO_MANY"}),
    # Nobody knows the hour.
    ("66 no country and no phone", {}, "email", "UTC", WED_NOON, {}, {"LOCATION_UNKNOWN"}),
    ("67 a satellite phone", {"mobile_phone": "+8816315555"}, "call_script", "UTC", WED_NOON, {}, {"LOCATION_UNKNOWN"}),
    # SI 2020/1311, reg. 26: 60 days with the first one.
    ("68 the 60th day of a breathing space", LONDON, "email", "Europe/London", "2026-04-29 20:59",
     {"blocks": (ContactBlock("moratorium", Scope.PERSON, date(2026, 3, 1), date(2026, 4, 30)),)}, {"DEBT_HELD"}),
    ("69 the day after it", LONDON, "email", "Europe/London", "2026-04-30 08:00",
     {"blocks": (ContactBlock("moratorium", Scope.PERSON, date(2026, 3, 1), date(2026, 4, 30)),)}, set()),
    ("77 Las Palmas with a Spanish mobile, 07:15", {"country_code": "ES", "city": "Las Palmas", "mobile_phone": "+34612345678"},
     "call_script", "Atlantic/Canary", f"{WED} 07:15", {}, {"OUTSIDE_WINDOW"}),
    ("79 Jayapura with an Indonesian mobile, 21:30", {"country_code": "ID", "city": "Jayapura", "mobile_phone": "+628123456789"},
     "call_script", "Asia/Jayapura", f"{WED} 21:30", {}, {"OUTSIDE_WINDOW"}),
    ("82 Vladivostok with a mobile, 07:00", {"country_code": "RU", "city": "Vladivostok", "mobile_phone": "+79123456789"},
     "call_script", "Asia/Vladivostok", f"{WED} 07:00", {}, {"OUTSIDE_WINDOW"}),
    # A person who is not of age, and a debt that the law has ended.
    ("NJ, a minor", NJ, "email", NY, WED_NOON, {"is_minor": True}, {"MINOR"}),
    ("NJ, an answer to a minor", NJ, "email", NY, WED_NOON, {"is_minor": True, "purpose": Purpose.ANSWER}, {"MINOR"}),
    ("Scotland, a debt that has prescribed", LONDON, "email", "Europe/London", WED_NOON, {"time_barred_by": "s. 6"},
     {"TIME_BARRED"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "channel", "zone", "when", "more", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_the_gate_answers_as_the_law_does(where, channel, zone, when, more, expected):
    now = at(zone, when)
    decision = asked(where, channel, now, **(more(now) if callable(more) else more))

    # Where several zones are possible, others may be closed for one more reason.
    assert codes(decision) >= expected
    assert (decision.verdict == Verdict.ALLOW) == (not expected)


@pytest.mark.parametrize(
    ("where", "section"),
    [
        (NJ, "15 U.S.C. 1692c(c); 12 CFR 1006.6(c)"), (MUNICH, "Directive 2005/29/EC, Art. 8 and 9(a)"), (LONDON, "CONC 7.9.4R"),
        (SYDNEY, "RG 96, section 5"), (MUMBAI, ""),
        (LONDON | {"mobile_phone": "+12015550123"}, "CONC 7.9.4R; 15 U.S.C. 1692c(c);"),
    ],
)  # fmt: skip
def test_the_section_of_a_hold_is_that_of_the_persons_own_law(where, section):
    held = asked(where, "email", at("UTC", WED_NOON), blocks=(ContactBlock("cease", Scope.PERSON, date(2026, 1, 1)),))
    (reason,) = [one for one in held.reasons if one.code == ReasonCode.DEBT_HELD]

    assert reason.section.startswith(section)
    assert bool(reason.section) == bool(section)


@pytest.mark.parametrize("where", [MUNICH, LONDON, SYDNEY, MUMBAI])
def test_no_section_of_the_united_states_is_shown_elsewhere(where):
    facts = {"suppressed": True, "refusal": "No.", "is_work_address": True, "debt_is_disputed": True, "is_minor": True}
    holds = tuple(
        ContactBlock(reason, Scope.PERSON, date(2026, 1, 1))
        for reason in ("attorney", "cease", "bankruptcy", "deceased")
    )
    reasons = asked(where, "email", at("UTC", WED_NOON), blocks=holds, **facts).reasons

    assert len(reasons) >= 9
    assert not [reason for reason in reasons if "U.S.C." in reason.section or "CFR" in reason.section]


def test_a_scottish_moratorium_has_its_own_section():
    blocks = (ContactBlock("scottish_moratorium", Scope.PERSON, date(2026, 1, 1)),)
    (reason,) = asked(LONDON, "email", at("UTC", WED_NOON), blocks=blocks).reasons

    assert reason.section == "Bankruptcy (Scotland) Act 2016, s. 195-198"
    assert reason.confidence == "memory"


def test_the_least_sure_of_several_laws_is_the_confidence():
    stopped = [asked(where, "email", at("UTC", WED_NOON), suppressed=True).reasons for where in (NJ, MUNICH, MUMBAI)]
    both = asked(MUNICH | {"mobile_phone": "+12015550123"}, "email", at("UTC", WED_NOON), suppressed=True).reasons

    assert [reasons[0].confidence for reasons in stopped] == ["secondary", "memory", ""]
    assert both[0].confidence == "memory"
