"""Settings from the environment; each variable is read once, and a missing one that is required stops the start.

Order: the environment, then ``.env``, then the file of the running demo.
"""

import os
from datetime import UTC, datetime
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from ddc.common.reference.currencies import DECIMALS, ended
from ddc.configuration import (
    anymail_settings,
    broker_url,
    check_payments,
    check_production,
    check_range,
    check_senders,
    check_webhook_secrets,
    comma_separated,
    contact_window,
    demo_environment,
    email_settings,
    header_name,
    is_production,
    long_enough,
    origin,
    rate,
    second_factor,
    second_question,
    webhook_secret,
)
from ddc.databases import database_settings, owner_settings
from ddc.fixed_settings import *  # noqa: F403
from ddc.fixed_settings import BASE_DIR
from ddc.time_zones import time_zone

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
for name, value in demo_environment(BASE_DIR / ".state" / "demo.env", os.environ.get("DATABASE_URL")).items():
    os.environ.setdefault(name, value)


def required(name: str, *, why: str) -> str:
    value = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Set it to {why}; see .env.example, or start with `make demo`.")
    return str(value)


def key(name: str) -> str:
    return long_enough(name, required(name, why="a random secret of at least 32 bytes"))


# --- Secrets and addresses
SECRET_KEY = key("SECRET_KEY")
DEBTOR_TOKEN_KEY = key("DEBTOR_TOKEN_KEY")
OTP_KEY = key("OTP_KEY")
# Earlier keys: they verify existing tokens and codes but sign no new ones.
SECRET_KEY_FALLBACKS = comma_separated(env.str("SECRET_KEY_FALLBACKS", default=""))
DEBTOR_TOKEN_KEY_FALLBACKS = comma_separated(env.str("DEBTOR_TOKEN_KEY_FALLBACKS", default=""))
OTP_KEY_FALLBACKS = comma_separated(env.str("OTP_KEY_FALLBACKS", default=""))
for old_key in (*SECRET_KEY_FALLBACKS, *DEBTOR_TOKEN_KEY_FALLBACKS, *OTP_KEY_FALLBACKS):
    long_enough("A key among the ..._KEY_FALLBACKS", old_key)
if len({SECRET_KEY, DEBTOR_TOKEN_KEY, OTP_KEY}) < 3:
    raise ImproperlyConfigured("SECRET_KEY, DEBTOR_TOKEN_KEY and OTP_KEY must differ. Make three different secrets.")
EVIDENCE_KEYS = comma_separated(env.str("EVIDENCE_KEYS", default=""))
for evidence_key in EVIDENCE_KEYS:
    long_enough("A key among the EVIDENCE_KEYS", evidence_key)
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
DEMO_PASSWORD = env.str("DEMO_PASSWORD", default="")
PORT = env.int("PORT", default=8000)
PUBLIC_URL = origin("PUBLIC_URL", env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}"))
ALLOWED_HOSTS = comma_separated(env.str("ALLOWED_HOSTS", default="127.0.0.1,localhost"))
CORS_ALLOWED_ORIGINS = [
    origin("One of the CORS_ALLOWED_ORIGINS", url)
    for url in comma_separated(env.str("CORS_ALLOWED_ORIGINS", default=""))
]
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key", "x-request-id"]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Ignored-Fields", "X-Request-ID"]
TRUSTED_PROXIES = check_range("TRUSTED_PROXIES", env.int("TRUSTED_PROXIES", default=0), least=0)
CLIENT_ADDRESS_HEADER = header_name(
    "CLIENT_ADDRESS_HEADER", env.str("CLIENT_ADDRESS_HEADER", default="X-Forwarded-For")
)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
PRODUCTION = is_production(PUBLIC_URL, ALLOWED_HOSTS)
if PRODUCTION:
    secrets = {
        **{"SECRET_KEY": [SECRET_KEY], "DEBTOR_TOKEN_KEY": [DEBTOR_TOKEN_KEY], "OTP_KEY": [OTP_KEY]},
        "SECRET_KEY_FALLBACKS": SECRET_KEY_FALLBACKS,
        "DEBTOR_TOKEN_KEY_FALLBACKS": DEBTOR_TOKEN_KEY_FALLBACKS,
        "OTP_KEY_FALLBACKS": OTP_KEY_FALLBACKS,
        "EVIDENCE_KEYS": EVIDENCE_KEYS,
        "METRICS_TOKEN": [METRICS_TOKEN] if METRICS_TOKEN else [],
    }
    check_production(debug=DEBUG, demo=DEMO, hosts=ALLOWED_HOSTS, secrets=secrets)

HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
# SECURE_SSL_REDIRECT stays off: the proxy redirects, and health checks do not use TLS.
SILENCED_SYSTEM_CHECKS = ["security.W008"]

# --- Applications
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "corsheaders",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "anymail",
    "agency",
    "ddc.common.apps.CommonConfig",
    "audit",
    "agents",
    "creditors",
    "debtors",
    "collection",
    "arrangements",
    "contact",
    "payments",
    "communications",
    "casework",
    "strategy",
    "portal",
    "ddc.demo",
]
MIDDLEWARE = [
    "ddc.common.observing.request_log.RequestLog",
    "ddc.common.headers.Headers",
    "ddc.common.error_pages.ErrorPages",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "ddc.common.middleware.BodyLimit",
    "ddc.common.middleware.OptionalSlash",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ddc.common.middleware.Api",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "agents.middleware.StaffSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "ddc.common.middleware.PageLimit",
    "ddc.common.admin_requests.AdminRequests",
]
ROOT_URLCONF = "ddc.urls"
WSGI_APPLICATION = "ddc.wsgi.application"
APPEND_SLASH = False
CSRF_FAILURE_VIEW = "ddc.common.error_pages.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 26_214_400  # The middleware BodyLimit is stricter, except for callbacks with attachments.

# --- PostgreSQL, Valkey, Celery
DATABASE_DEFAULTS: dict[str, Any] = {
    "ENGINE": "ddc.common.postgresql",
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
    "DISABLE_SERVER_SIDE_CURSORS": True,
    "OPTIONS": {
        "connect_timeout": 3,
        "server_side_binding": True,
        "prepare_threshold": 2,  # Planning a read costs as much as running it. A pooler must support prepared statements.
        # Detects a lost host within a minute. web_process.py adds limits for web servers.
        **{"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000},
        "options": "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
    },
}
DATABASES = {
    "default": database_settings(
        required("DATABASE_URL", why="a URL such as postgres://user:password@host/ddc"), **DATABASE_DEFAULTS
    )
}
# Commands that change the schema connect as the role that owns it: see ddc/common/postgresql/owner.py.
OWNER_DATABASE = owner_settings(
    env.str("MIGRATION_DATABASE_URL", default=""), DATABASES["default"], **DATABASE_DEFAULTS
)
REDIS_URL = broker_url(required("REDIS_URL", why="a URL such as redis://:password@host:6379/0"))
CELERY_BROKER_URL = REDIS_URL
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Tokens
ACCESS_TOKEN_SECONDS = 15 * 60
REFRESH_TOKEN_SECONDS = 12 * 3600
TOKEN_FAMILY_SECONDS = 30 * 86400
DEBTOR_TOKEN_SECONDS = 7 * 86400
PORTAL_IDLE_SECONDS = 15 * 60

# --- API
FAST_READS = env.bool("FAST_READS", default=True)

# --- Messages
globals().update(email_settings(env.str("EMAIL_URL", default="console://"), demo=DEMO))
ANYMAIL = anymail_settings(os.environ)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="collections@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
ANYMAIL_WEBHOOK_SECRET = webhook_secret(env.str("ANYMAIL_WEBHOOK_SECRET", default=""))
SMS_BACKEND = env.str("SMS_BACKEND", default="console")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
if PRODUCTION:
    check_senders(email_backend=globals()["EMAIL_BACKEND"], sms_backend=SMS_BACKEND)
    check_webhook_secrets(ANYMAIL_WEBHOOK_SECRET, ANYMAIL, twilio=TWILIO_AUTH_TOKEN)
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_FROM_NUMBER = env.str("TWILIO_FROM_NUMBER", default="")
TWILIO_API_URL = env.str("TWILIO_API_URL", default="")
OUTBOX_DRAINS = check_range("OUTBOX_DRAINS", env.int("OUTBOX_DRAINS", default=1), least=1)
EMAIL_RATE = rate("EMAIL_RATE", env.float("EMAIL_RATE", default=1000))
SMS_RATE = rate("SMS_RATE", env.float("SMS_RATE", default=100))
OPEN_TRACKING = env.bool("OPEN_TRACKING", default=True)
CONTACT_WINDOW = contact_window(env.str("CONTACT_WINDOW", default="08:00-21:00"))

# --- Payments by debtors
PAYMENT_PROVIDER = env.str("PAYMENT_PROVIDER", default="demo" if DEMO else "")
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_URL = env.str("STRIPE_API_URL", default="")
check_payments(PAYMENT_PROVIDER, secret=STRIPE_SECRET_KEY, webhook_secret=STRIPE_WEBHOOK_SECRET, demo=DEMO)

# --- The agency
AGENCY_NAME = env.str("AGENCY_NAME", default="DDC")
AGENCY_ADDRESS = env.str("AGENCY_ADDRESS", default="1 Example Street, London" if DEMO else "")
AGENCY_PHONE = env.str("AGENCY_PHONE", default="+44 20 7946 0000" if DEMO else "")
AGENCY_TIME_ZONE = time_zone("AGENCY_TIME_ZONE", env.str("AGENCY_TIME_ZONE", default="UTC"))
AGENCY_EMAIL = env.str("AGENCY_EMAIL", default=DEFAULT_FROM_EMAIL)
VOICEMAIL_NAME = env.str("VOICEMAIL_NAME", default="")
VOICEMAIL_PERSON = env.str("VOICEMAIL_PERSON", default="")
REPORTING_CURRENCY = env.str("REPORTING_CURRENCY", default="USD").upper()
if REPORTING_CURRENCY not in DECIMALS:
    raise ImproperlyConfigured(f"REPORTING_CURRENCY is {REPORTING_CURRENCY!r}. Use an ISO 4217 code such as USD.")
DEFERRAL_DAYS_PER_YEAR = check_range(
    "DEFERRAL_DAYS_PER_YEAR", env.int("DEFERRAL_DAYS_PER_YEAR", default=365), least=0, most=3_650
)
if ended_currency := ended(REPORTING_CURRENCY, today=datetime.now(UTC).date()):
    raise ImproperlyConfigured(f"REPORTING_CURRENCY={REPORTING_CURRENCY} has ended. Use {ended_currency.successor}.")
DOCUMENT_SCANNER = env.str("DOCUMENT_SCANNER", default="")
OTP_LENGTH = check_range("OTP_LENGTH", env.int("OTP_LENGTH", default=6), least=4, most=8)
OTP_LIFETIME_SECONDS = 300
OTP_PER_PHONE = check_range("OTP_PER_PHONE", env.int("OTP_PER_PHONE", default=3), least=1)
OTP_PER_PHONE_DAY = check_range("OTP_PER_PHONE_DAY", env.int("OTP_PER_PHONE_DAY", default=10), least=1)
OTP_PER_HOUR = check_range("OTP_PER_HOUR", env.int("OTP_PER_HOUR", default=2000), least=1)
OTP_PER_ADDRESS = check_range("OTP_PER_ADDRESS", env.int("OTP_PER_ADDRESS", default=300), least=1)
SECOND_QUESTION = second_question(env.str("SECOND_QUESTION", default="pages"))


# --- The back office
def totp_issuer(_device: object) -> str:
    """Return the name under which an authenticator app shows the account."""
    from agency import profile

    return profile.current().name


OTP_TOTP_ISSUER = totp_issuer
SECOND_FACTOR = second_factor(env.str("SECOND_FACTOR", default="optional" if DEMO else "supervisors"), demo=DEMO)
#: The one colour of the back office. Green, amber and red only carry meaning (``common/tokens.css``).
PETROL = {
    "50": "#eef7fa", "100": "#dcedf3", "200": "#b5d8e4", "300": "#80bcd0", "400": "#4799b5", "500": "#257b99", "600": "#0f6480",
    "700": "#0c5169", "800": "#0d4356", "900": "#0f3847", "950": "#08242f",
}  # fmt: skip
UNFOLD = {
    "SITE_TITLE": "agency.views.site_name",
    "SITE_HEADER": "agency.views.site_name",
    "SITE_LOGO": "agency.views.site_logo",
    "SITE_SYMBOL": "account_balance",
    "SHOW_BACK_BUTTON": True,
    "STYLES": ["ddc.backoffice.tokens", "ddc.backoffice.style", "agency.views.site_style"],
    "SCRIPTS": ["ddc.backoffice.keep_typed", "ddc.backoffice.focus", "ddc.backoffice.work_keys"],
    "GLOBAL_CALLBACK": "ddc.backoffice.shell",
    "DASHBOARD_CALLBACK": "ddc.home.page",
    "ACCOUNT": {"navigation": [{"title": "Your account", "link": reverse_lazy("account")}]},
    "SIDEBAR": {"navigation": "ddc.menu.navigation", "show_search": True},
    "COLORS": {"primary": PETROL},
}
