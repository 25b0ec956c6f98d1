"""Settings of Django and the libraries that do not depend on the environment."""

import sys
import zoneinfo
from pathlib import Path

# Time zone rules come from the pinned package tzdata: those of the system may be years older.
zoneinfo.reset_tzpath(to=[])

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ddc.common.views.agency",
            ]
        },
    }
]

# --- Sign-in
AUTH_USER_MODEL = "agents.Agent"
AUTHENTICATION_BACKENDS = ["agents.authentication.LimitedBackend"]
PASSWORD_HASHERS = ["agents.hashers.SerialPBKDF2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_AGE = 12 * 3600  # agents/sessions.py ends a session earlier.
PASSWORD_RESET_TIMEOUT = 24 * 3600
# agents/second_factor.py has pauses of its own: those of django-otp begin with the first typing error.
OTP_TOTP_THROTTLE_FACTOR = 0

# --- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["agents.authentication.StaffAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["ddc.common.api.permissions.StaffPermission"],
    "DEFAULT_PARSER_CLASSES": ["ddc.common.api.parser.ExactJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["ddc.common.api.rendering.ORJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "ddc.common.api.rendering.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "ddc.common.api.schema.Schema",
    "EXCEPTION_HANDLER": "ddc.common.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DDC",
    "DESCRIPTION": "Debt collection: debtors, debts, payments, messages, strategy, and the debtors' portal.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Swagger UI draws all open sections before it answers a click: with 127 operations over half a minute.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none"},
    "POSTPROCESSING_HOOKS": [],  # Enums stay inline.
}

# --- Language, time zone, static files
LANGUAGE_CODE = "en"
#: The languages of the debtors' pages. The back office and the API are in English.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "ddc.formats"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# --- Logs
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ddc.common.observing.logs.json_formatter"}},
    "filters": {"without_callers_text": {"()": "ddc.common.observing.logs.WithoutCallersText"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["without_callers_text"],
            "stream": sys.stderr,
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # handler500 and the request log cover their messages, without the path.
        "django.request": {"level": "CRITICAL"},
        "django.server": {"handlers": ["stderr"], "level": "CRITICAL", "propagate": False},
        # It logs ten lines for each text message.
        "twilio.http_client": {"level": "WARNING"},
        # It logs four lines for each of some thousand tasks a day.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
