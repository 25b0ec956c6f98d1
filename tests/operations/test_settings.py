"""Settings that are good enough for one's own machine, and refused where others can reach it."""

import os
import secrets
import subprocess
import sys

import pytest

GOOD = {name: secrets.token_urlsafe(48) for name in ("SECRET_KEY", "DEBTOR_TOKEN_KEY", "OTP_KEY")}
ADDRESS = {"PUBLIC_URL": "https://ddc.test", "ALLOWED_HOSTS": "ddc.test"}
WEAK = "django-insecure-" + secrets.token_urlsafe(48)


def start(**changes: str) -> str:
    """Load the settings in a process of their own, and return what it complained about."""
    bare = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "DEMO", *ADDRESS)}
    servers = {"DATABASE_URL": "postgres://nowhere/ddc", "REDIS_URL": "redis://nowhere"}
    env = {**bare, **servers, **GOOD, **changes}
    done = subprocess.run([sys.executable, "-c", "import ddc.settings"], env=env, capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def test_production_starts_with_keys_and_hosts_of_its_own():
    assert start(**ADDRESS) == ""


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"DEBUG": "1"}, "DEBUG=1"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS=*"),
        ({"DEMO": "1"}, "DEMO=1"),
        ({"SECRET_KEY": WEAK}, "SECRET_KEY can be guessed"),
        ({"OTP_KEY": "0123456789" * 4}, "OTP_KEY can be guessed"),
        ({"DEBTOR_TOKEN_KEY": "change-me-" + "abcdefghijklmnopqrstuvw"}, "DEBTOR_TOKEN_KEY can be guessed"),
    ],
)
def test_production_does_not_start_with(changes: dict[str, str], complaint: str):
    assert complaint in start(**{**ADDRESS, **changes})


@pytest.mark.parametrize("alone", [{"PUBLIC_URL": "https://ddc.test"}, {"ALLOWED_HOSTS": "127.0.0.1,ddc.test"}])
def test_either_sign_of_production_is_enough(alone: dict[str, str]):
    assert "DEBUG=1" in start(DEBUG="1", **alone)
    assert start(DEBUG="1") == ""


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"OTP_KEY": "short"}, "OTP_KEY is too short"),
        ({"OTP_KEY": GOOD["SECRET_KEY"]}, "must differ"),
        ({"OTP_KEY_FALLBACKS": f"{secrets.token_urlsafe(48)},short"}, "too short"),
    ],
)
def test_no_site_starts_with(changes: dict[str, str], complaint: str):
    assert complaint in start(**changes)
