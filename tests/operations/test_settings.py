"""Settings that are good enough for one's own machine, and refused where others can reach it."""

import os
import secrets
import subprocess
import sys
from datetime import time
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ddc import configuration, databases
from ddc.common.observing import health

GOOD = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY")}
SENDERS = {"EMAIL_URL": "smtp://mail.test", "SMS_BACKEND": "twilio"}
ADDRESS = {"PUBLIC_URL": "https://ddc.test", "ALLOWED_HOSTS": "ddc.test", **SENDERS}
WEAK = "django-insecure-" + secrets.token_urlsafe(48)


def start(code: str = "import ddc.settings", **changes: str) -> str:
    """Load the settings in a process of their own, and return what it complained about."""
    bare = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "DEMO", *ADDRESS)}
    servers = {"DATABASE_URL": "postgres://nowhere/ddc", "REDIS_URL": "redis://nowhere"}
    env = {**bare, **servers, **GOOD, **changes}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def test_production_starts_with_keys_and_hosts_of_its_own():
    assert start(**ADDRESS) == ""


def test_production_starts_with_secrets_for_callbacks_that_cannot_be_guessed():
    issued = {
        "ANYMAIL_WEBHOOK_SECRET": f"user:{secrets.token_urlsafe(48)}",
        "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY": "3f1c9a7e5b2d8046c1e0a9b7d5f38264",
        "ANYMAIL_MAILGUN_API_KEY": "x",
    }
    assert start(**ADDRESS, **issued) == ""


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"DEBUG": "1"}, "DEBUG=1"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS=*"),
        ({"ALLOWED_HOSTS": "a.example, *, b.example"}, "ALLOWED_HOSTS=*"),
        ({"ALLOWED_HOSTS": ".com"}, "ALLOWED_HOSTS=.com"),
        ({"DEMO": "1"}, "DEMO=1"),
        ({"SECRET_KEY": WEAK}, "SECRET_KEY can be guessed"),
        ({"OTP_KEY": "0123456789" * 4}, "OTP_KEY can be guessed"),
        ({"DEBTOR_TOKEN_KEY": "change-me-" + "abcdefghijklmnopqrstuvw"}, "DEBTOR_TOKEN_KEY can be guessed"),
        ({"OTP_KEY": "abcdefghijklmnopqrstuvwxyz-abcdef"}, "OTP_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": WEAK}, "SECRET_KEY_FALLBACKS can be guessed"),
        ({"DEBTOR_TOKEN_KEY_FALLBACKS": f"{GOOD['OTP_KEY']}, {WEAK}"}, "DEBTOR_TOKEN_KEY_FALLBACKS can be guessed"),
        ({"OTP_KEY_FALLBACKS": "x" * 32}, "OTP_KEY_FALLBACKS can be guessed"),
        ({"EVIDENCE_KEYS": "x" * 32}, "EVIDENCE_KEYS can be guessed"),
        ({"EMAIL_URL": "console://"}, "EMAIL_URL is console:// or not set"),
        ({"EMAIL_URL": ""}, "EMAIL_URL is"),
        ({"SMS_BACKEND": "console"}, "SMS_BACKEND is console or not set"),
        ({"ANYMAIL_WEBHOOK_SECRET": "user:short"}, "The password in ANYMAIL_WEBHOOK_SECRET is too short"),
        ({"ANYMAIL_WEBHOOK_SECRET": f"{'u' * 40}:short"}, "The password in ANYMAIL_WEBHOOK_SECRET is too short"),
        ({"ANYMAIL_WEBHOOK_SECRET": f"user:{WEAK}"}, "The password in ANYMAIL_WEBHOOK_SECRET can be guessed"),
        ({"ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY": "x" * 32}, "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY can be guessed"),
        ({"ANYMAIL_MANDRILL_WEBHOOK_KEY": "short"}, "ANYMAIL_MANDRILL_WEBHOOK_KEY can be guessed"),
        ({"ANYMAIL_RESEND_SIGNING_SECRET": "changeme-changeme"}, "ANYMAIL_RESEND_SIGNING_SECRET can be guessed"),
        ({"TWILIO_AUTH_TOKEN": "short"}, "TWILIO_AUTH_TOKEN can be guessed"),
        ({"TWILIO_AUTH_TOKEN": "0" * 32}, "TWILIO_AUTH_TOKEN can be guessed"),
        ({"METRICS_TOKEN": "x"}, "METRICS_TOKEN is too short"),
        ({"METRICS_TOKEN": "x" * 32}, "METRICS_TOKEN can be guessed"),
    ],
)
def test_production_does_not_start_with(changes: dict[str, str], complaint: str):
    assert complaint in start(**{**ADDRESS, **changes})


@pytest.mark.parametrize(
    "alone",
    [
        *({"PUBLIC_URL": url} for url in ("https://ddc.test", "HTTPS://ddc.test", "http://ddc.test:8000")),
        {"ALLOWED_HOSTS": "127.0.0.1, ddc.test"},
    ],
)
@pytest.mark.parametrize("mode", ["DEBUG", "DEMO"])
def test_a_public_address_is_enough_for_production(alone: dict[str, str], mode: str):
    assert f"{mode}=1" in start(**{mode: "1"}, **alone)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://LOCALHOST/", "https://localhost"]
)
def test_a_local_address_is_not_production(url: str):
    assert (
        start(DEBUG="1", DEMO="1", PUBLIC_URL=url, ALLOWED_HOSTS="127.0.0.1, localhost, [::1]", METRICS_TOKEN="x") == ""
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"OTP_KEY": "short"}, "OTP_KEY is too short"),
        ({"OTP_KEY": GOOD["SECRET_KEY"]}, "must differ"),
        ({"OTP_KEY_FALLBACKS": f"{secrets.token_urlsafe(48)},short"}, "too short"),
        ({"EMAIL_URL": "demo://"}, "EMAIL_URL=demo:// sends nothing"),
        ({"EMAIL_URL": "anymail://nosuch"}, "anymail's providers are amazon_ses, "),
        ({"EMAIL_URL": "anymail://test"}, "anymail's providers are"),
        ({"EMAIL_URL": "anymail://"}, "anymail's providers are"),
        ({"ANYMAIL_WEBHOOK_SECRET": "without-a-colon"}, "ANYMAIL_WEBHOOK_SECRET"),
        ({"PUBLIC_URL": "ddc.test"}, "PUBLIC_URL is 'ddc.test'"),
        ({"PUBLIC_URL": "ftp://ddc.test"}, "PUBLIC_URL is 'ftp://ddc.test'"),
        ({"PUBLIC_URL": "https://ddc.test/collections"}, "without a path"),
        ({"PUBLIC_URL": "https://ddc.test?x"}, "without a path"),
        ({"AGENCY_TIME_ZONE": "Foo/Bar"}, "AGENCY_TIME_ZONE is 'Foo/Bar', which is no time zone"),
        ({"AGENCY_TIME_ZONE": "../etc"}, "AGENCY_TIME_ZONE is '../etc'"),
        ({"DEFERRAL_DAYS_PER_YEAR": "-1"}, "DEFERRAL_DAYS_PER_YEAR must be from 0 to 3650"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES must be 0 or more"),
        ({"CORS_ALLOWED_ORIGINS": "https://a.test, b.test"}, "CORS_ALLOWED_ORIGINS is 'b.test'"),
        ({"CLIENT_ADDRESS_HEADER": "X_Real_IP"}, "CLIENT_ADDRESS_HEADER is 'X_Real_IP'"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS is '*'"),
        ({"REDIS_URL": "nowhere:6379"}, "REDIS_URL is not a Redis URL"),
        ({"REDIS_URL": "http://nowhere"}, "REDIS_URL is not a Redis URL"),
        ({"DATABASE_URL": "mysql://nowhere/ddc"}, "DATABASE_URL is not a PostgreSQL URL"),
    ],
)
def test_no_site_starts_with(changes: dict[str, str], complaint: str):
    assert complaint in start(**changes)


@pytest.mark.parametrize(
    ("provider", "complaint"),
    [
        ("nosuch", "SMS_BACKEND names no provider"),
        ("demo", "SMS_BACKEND=demo sends nothing"),
        ("twilio", "Set all three"),
    ],
)
def test_no_process_starts_with_a_provider_that_cannot_be_used(provider: str, complaint: str):
    assert complaint in start("import django; django.setup()", SMS_BACKEND=provider)


def test_lists_are_read_without_what_stands_around_their_parts():
    assert configuration.comma_separated(" a.example ,, b.example,") == ["a.example", "b.example"]


def test_an_address_is_kept_as_browsers_write_it():
    assert configuration.origin("PUBLIC_URL", "HTTPS://DDC.example:8443/") == "https://ddc.example:8443"


def test_what_the_database_url_asks_for_is_kept_beside_what_we_ask_for():
    url = "postgres://u:p@h/ddc?sslmode=verify-full&sslrootcert=/x&connect_timeout=9&options=-c%20search_path%3Dours"
    ours = {
        "ENGINE": "ddc.common.postgresql",
        "OPTIONS": {"connect_timeout": 3, "keepalives_idle": 30, "options": "-c a=1"},
    }

    found = databases.database_settings(url, **ours)

    assert found["OPTIONS"] == {
        **{"sslmode": "verify-full", "sslrootcert": "/x", "connect_timeout": 9, "keepalives_idle": 30},
        "options": "-c a=1 -c search_path=ours",
    }
    assert (found["ENGINE"], found["HOST"], found["NAME"]) == ("ddc.common.postgresql", "h", "ddc")
    assert databases.database_settings("postgres://h/ddc", **ours)["OPTIONS"] == ours["OPTIONS"]


@pytest.mark.django_db
def test_health_connects_to_the_database_as_requests_do(settings, monkeypatch):
    options = settings.DATABASES["default"]["OPTIONS"]
    more = {"sslmode": "prefer", "sslrootcert": "/x", "options": f"{options['options']} -c search_path=public"}
    monkeypatch.setitem(settings.DATABASES["default"], "OPTIONS", {**options, **more})
    connect = Mock(wraps=psycopg.connect)
    monkeypatch.setattr(psycopg, "connect", connect)

    assert health.check()[0]["database"] == "ok"

    how = connect.call_args.kwargs
    assert (how["sslmode"], how["sslrootcert"]) == ("prefer", "/x")
    assert how["options"].endswith("-c search_path=public -c statement_timeout=1000")


def said(**tags: Any) -> list[str]:
    return [str(message.id) for message in checks.run_checks(**tags) if str(message.id).startswith("ddc.")]


def test_a_mail_provider_without_its_settings_is_refused(settings):
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {}
    assert said() == ["ddc.E001"]
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "x"}
    assert said() == []


def test_the_contact_window_can_be_the_whole_day():
    assert configuration.contact_window("00:00-24:00") == (time.min, time.min)  # Midnight is the end of the day.
    assert configuration.contact_window("09:30-24:00") == (time(9, 30), time.min)
    for wrong in ("24:00-24:00", "00:00-24:01", "00:00-25:00", "09:00-09:00", "00:00-00:00"):
        with pytest.raises(ImproperlyConfigured):
            configuration.contact_window(wrong)


def test_the_second_factor_is_optional_only_in_the_demo():
    assert start(SECOND_FACTOR="all") == start(SECOND_FACTOR="supervisors") == start(DEMO="1") == ""
    assert "SECOND_FACTOR is 'optional'" in start(SECOND_FACTOR="optional")
    assert "SECOND_FACTOR is 'none'" in start(SECOND_FACTOR="none", DEMO="1")
    for environment, value in (
        ({}, "supervisors"),
        ({"DEMO": "1"}, "optional"),
        ({"DEMO": "1", "SECOND_FACTOR": "all"}, "all"),
    ):
        assert start(f"from ddc import settings; assert settings.SECOND_FACTOR == {value!r}", **environment) == ""
