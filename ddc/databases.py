"""Parse the URLs of the database: the product's role and the owner of the tables."""

from collections.abc import Mapping
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


def database_settings(url: str, *, name: str = "DATABASE_URL", **defaults: Any) -> dict[str, Any]:
    """Return Django's settings for a database's URL, with the defaults for everything that the URL does not set.

    PostgreSQL gets the command-line options of both (``OPTIONS["options"]``), those of the URL last, because the last one of
    a name wins.

    :raises ImproperlyConfigured: if the URL is not one of PostgreSQL
    """
    if url.partition("://")[0] not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"{name} is not a PostgreSQL URL. Use one such as postgres://user:password@host:5432/ddc."
        )
    given = environ.Env.db_url_config(url)
    options = {**defaults["OPTIONS"], **given.get("OPTIONS", {})}
    lines = (part["OPTIONS"].get("options") for part in (defaults, given) if "OPTIONS" in part)
    options["options"] = " ".join(line for line in lines if line)
    return {**defaults, **given, "ENGINE": defaults["ENGINE"], "OPTIONS": options}


def owner_settings(url: str, product: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """Return Django's settings for MIGRATION_DATABASE_URL; without it, those of DATABASE_URL, and one role owns the tables.

    :raises ImproperlyConfigured: if the URL is not one of PostgreSQL, or names another database
    """
    if not url:
        return dict(product)
    owner = database_settings(url, name="MIGRATION_DATABASE_URL", **defaults)
    if owner["NAME"] != product["NAME"]:
        raise ImproperlyConfigured(
            "MIGRATION_DATABASE_URL and DATABASE_URL name different databases. Use two roles of the same database."
        )
    return owner
