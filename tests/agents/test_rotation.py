"""Keys can be replaced without signing users out: tokens of the old key stay valid for a time."""

import uuid

import pytest
from django.utils import timezone

from agents import tokens as staff_tokens
from agents.tokens import RotatedTokenBackend
from communications.links import tokens
from communications.texts import one_time_code
from portal import otp
from portal import tokens as debtor_tokens
from portal.models import OtpSession
from tests import factories

OLD, NEW = "o" * 40, "n" * 40


def backend(audience: str, key: str, *old_keys: str) -> RotatedTokenBackend:
    return RotatedTokenBackend(key, list(old_keys), audience=audience, issuer="ddc")


@pytest.fixture
def keys(monkeypatch):
    """Put a key in place for both kinds of tokens, with those of before."""

    def use(key: str, *old_keys: str) -> None:
        monkeypatch.setattr(staff_tokens.StaffToken, "_token_backend", backend("ddc:staff", key, *old_keys))
        monkeypatch.setattr(debtor_tokens.DebtorToken, "_token_backend", backend("ddc:debtor", key, *old_keys))

    return use


@pytest.mark.django_db
def test_tokens_of_the_old_key_are_good_until_it_is_taken_away(keys):
    agent, debtor = factories.agent(), factories.debtor()
    keys(OLD)
    pair = staff_tokens.issue(agent, now=timezone.now())
    token, _ = debtor_tokens.issue(debtor, now=timezone.now())
    keys(NEW, OLD)
    assert staff_tokens.owner(pair.access)[0] == agent
    assert debtor_tokens.owner(token) == debtor
    fresh = staff_tokens.rotate(pair.refresh, now=timezone.now())
    keys(NEW)
    assert staff_tokens.owner(fresh.access)[0] == agent, "a new token is made with the new key"
    with pytest.raises(staff_tokens.BadToken):
        staff_tokens.owner(pair.access)
    with pytest.raises(staff_tokens.BadToken):
        debtor_tokens.owner(token)


@pytest.mark.django_db
def test_a_token_of_an_unknown_key_is_refused(keys):
    keys("s" * 40)
    token, _ = debtor_tokens.issue(factories.debtor(), now=timezone.now())
    keys(NEW, OLD)
    with pytest.raises(staff_tokens.BadToken):
        debtor_tokens.owner(token)


@pytest.mark.django_db
def test_a_code_that_went_before_the_change_still_signs_in(settings):
    debtor = factories.debtor(mobile_phone="+447700900777")
    settings.OTP_KEY = OLD
    for fallbacks, right in (([OLD], True), ([], False)):
        OtpSession.objects.all().delete()
        settings.OTP_KEY, settings.OTP_KEY_FALLBACKS = OLD, []
        session = otp.request(debtor.mobile_phone, client_ip=None, now=timezone.now())
        otp.answer(clock=timezone.now)
        code = one_time_code.derive(session.pk)
        settings.OTP_KEY, settings.OTP_KEY_FALLBACKS = NEW, fallbacks
        if right:
            assert otp.verify(debtor.mobile_phone, code, now=timezone.now()).debtor == debtor
        else:
            with pytest.raises(otp.WrongCode):
                otp.verify(debtor.mobile_phone, code, now=timezone.now())


def test_a_code_is_masked_under_whichever_key_it_went(settings):
    session = uuid.uuid4()
    settings.OTP_KEY = OLD
    code = one_time_code.derive(session)
    settings.OTP_KEY, settings.OTP_KEY_FALLBACKS = NEW, [OLD]
    assert one_time_code.mask(f"{code} was refused", session) == f"{one_time_code.MASK} was refused"


@pytest.mark.parametrize("use", ["tracking.open", "unsubscribing"])
def test_a_link_in_a_mail_of_before_is_known_again(settings, use):
    log_id = uuid.uuid4()
    settings.SECRET_KEY = OLD
    token = tokens.make(log_id, use=use)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert tokens.read(token, use=use) == log_id
    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.read(token, use=use) is None
