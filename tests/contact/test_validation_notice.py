"""The validation notice of a debt, and the time to dispute that it starts."""

from datetime import date, timedelta

import pytest

from contact import validation_notice
from contact.engine.policies import location
from contact.models import ValidationNotice
from tests import factories
from tests.communications.conftest import NOON
from tests.communications.messages import drain, queue

AT = NOON.replace(hour=17)


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (date(2026, 1, 12), date(2026, 1, 20)),  # Monday; the 19th is Martin Luther King Jr. Day
        (date(2026, 1, 5), date(2026, 1, 12)),
        (date(2026, 1, 10), date(2026, 1, 16)),  # Saturday
    ],
)
def test_a_notice_counts_as_received_on_the_fifth_business_day(sent, received):
    assert validation_notice.business_day(sent, 5, locations=frozenset({location("US", "NJ")})) == received


@pytest.mark.django_db
class TestClock:
    @pytest.fixture
    def debt(self):
        return factories.debt(
            debtor=factories.debtor(country_code="US", region_state="NJ", mobile_phone="+12015550123")
        )

    def test_the_notice_comes_in_five_days_and_templates_that_overshadow_it_wait(self, debt):
        notice, plain = factories.template(is_validation_notice=True), factories.template()
        pressing = factories.template(overshadows=True)
        for days in (7, 2):
            queue(debt=debt, template=plain, now=AT - timedelta(days=days))
            assert drain(AT - timedelta(days=days)).statuses == {"sent": 1}
        before = queue(debt=debt, template=plain, now=AT)
        assert drain(AT).statuses == {"blocked": 1}
        before.refresh_from_db()
        assert before.failure_reason.startswith("validation_notice_first")

        log = queue(debt=debt, template=notice, now=AT)
        assert drain(AT).statuses == {"sent": 1}
        clock = ValidationNotice.objects.get(debt=debt)
        assert (clock.message_id, clock.sent_at) == (log.pk, AT)
        assert (clock.received_on, clock.period_ends_on) == (date(2026, 1, 22), date(2026, 2, 21))

        queue(debt=debt, template=plain, now=AT)
        queue(debt=debt, template=pressing, now=AT)
        assert drain(AT).statuses == {"sent": 1, "blocked": 1}
        over = AT.replace(month=2, day=22)
        queue(debt=debt, template=pressing, now=over)
        assert drain(over).statuses == {"sent": 1}

    def test_a_second_notice_does_not_start_the_period_again(self, debt):
        notice = factories.template(is_validation_notice=True)
        first = queue(debt=debt, template=notice, now=AT)
        drain(AT)
        queue(debt=debt, template=notice, now=AT + timedelta(days=1))
        assert drain(AT + timedelta(days=1)).statuses == {"sent": 1}
        assert ValidationNotice.objects.get().message_id == first.pk

    def test_a_notice_is_demanded_only_with_a_notice_template_and_under_regulation_f(self, debt):
        queue(debt=debt, template=factories.template(), now=AT)
        assert drain(AT).statuses == {"sent": 1}
        factories.template(is_validation_notice=True)
        queue(template=factories.template(), now=AT)
        assert drain(AT).statuses == {"sent": 1}
