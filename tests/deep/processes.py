"""Start programs beside a test, on the test's own database."""

import os
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection


def environment(**more: str) -> dict[str, str]:
    """The environment in which another process finds this test's database and broker."""
    name = connection.settings_dict["NAME"]
    urls = {
        role: urlsplit(os.environ[role]) for role in ("DATABASE_URL", "MIGRATION_DATABASE_URL") if os.environ.get(role)
    }
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "ddc.settings",
        **{role: urlunsplit(url._replace(path=f"/{name}")) for role, url in urls.items()},
        "REDIS_URL": settings.REDIS_URL,
        **more,
    }


def start(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> "subprocess.Popen[str]":
    """Start ``python ARGUMENTS``; the test ends it."""
    return subprocess.Popen([sys.executable, *arguments], env=env or environment(), text=True, **options)
