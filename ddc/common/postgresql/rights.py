"""Grant the product's role what it needs on each table, and compare what it has with that.

The rule: the product reads and writes rows of every table (SELECT, INSERT, UPDATE, DELETE) and has no other right, such as
TRUNCATE, TRIGGER or CREATE. Less is granted for two reasons, both in an app's ``database_triggers.py``:

- A trigger ``refuse_change`` without a condition refuses every UPDATE or DELETE of a table, so neither is granted.
- The list ``RIGHTS`` names a table with what the product needs there.

``manage.py migrate`` and ``manage.py triggers --install`` grant; a table of a new migration needs nothing by hand.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db.backends.base.base import BaseDatabaseWrapper

from ddc.common.postgresql import owner, triggers

WRITTEN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_EVERY = WRITTEN | {"TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}
_HELD = """
    SELECT relname, array_agg(word) FILTER (WHERE has_table_privilege(%s, pg_class.oid, word))
    FROM pg_class, unnest(%s::text[]) AS word
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    GROUP BY relname
"""
#: What would let the role get around its rights: attributes, ownership, another role's rights, and CREATE.
_TOO_STRONG = """
    SELECT 'is a superuser, or may create roles or databases' FROM pg_roles
    WHERE rolname = %(role)s AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
    UNION ALL
    SELECT 'is a member of ' || rolname FROM pg_roles WHERE rolname <> %(role)s AND pg_has_role(%(role)s, oid, 'MEMBER')
    UNION ALL
    SELECT DISTINCT 'owns tables or functions' FROM (
        SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS owned JOIN pg_roles ON pg_roles.oid = owner WHERE rolname = %(role)s
    UNION ALL
    SELECT 'may create objects in the schema public' WHERE has_schema_privilege(%(role)s, 'public', 'CREATE')
    UNION ALL
    SELECT 'may create schemas' WHERE has_database_privilege(%(role)s, current_database(), 'CREATE')
    UNION ALL
    SELECT 'may call ' || proname || ', which runs with the rights of its owner' FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prosecdef AND has_function_privilege(%(role)s, oid, 'EXECUTE')
"""
_HINT = "Run `manage.py triggers --install`, and see docs/operations.md, “Database roles”."


def product() -> str:
    """Return the name of the product's role."""
    return str(settings.DATABASES["default"]["USER"])


def expected() -> dict[str, frozenset[str]]:
    """Return the rights of the product on each table where they are less than ``WRITTEN``."""
    found: dict[str, frozenset[str]] = {}
    for each in triggers.every_list():
        for trigger in each.triggers:
            if trigger.function == "refuse_change" and not trigger.when and " OF " not in trigger.event:
                refused = set(re.findall("UPDATE|DELETE", trigger.event))
                found[trigger.table] = found.get(trigger.table, WRITTEN) - refused
        for right in each.rights:
            found[right.table] = found.get(right.table, WRITTEN) & set(right.granted)
    return found


def held(connection: BaseDatabaseWrapper) -> dict[str, frozenset[str]]:
    """Return the rights that the product has on each table and view of the schema ``public``."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [product(), sorted(_EVERY)])
        return {table: frozenset(words or ()) for table, words in cursor.fetchall()}


def grant(connection: BaseDatabaseWrapper) -> None:
    """Give the product's role its rights. Call it as the owner; with one role for both there is nothing to grant."""
    if not owner.is_apart():
        return
    role, database = (connection.ops.quote_name(name) for name in (product(), connection.settings_dict["NAME"]))
    statements = [
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        # For tables that are created before the end of this migration, and by hand.
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {_sql(WRITTEN)} ON TABLES TO {role}",
    ]
    wanted = expected()
    for table, rights in held(connection).items():
        if rights != wanted.get(table, WRITTEN):
            name = f"public.{connection.ops.quote_name(table)}"
            statements += [
                f"REVOKE ALL ON {name} FROM {role}, PUBLIC",
                f"GRANT {_sql(wanted.get(table, WRITTEN))} ON {name} TO {role}",
            ]
    for function in chain.from_iterable(each.functions for each in triggers.every_list()):
        if function.as_owner:
            statements.append(f"REVOKE EXECUTE ON FUNCTION public.{function.name} FROM PUBLIC, {role}")
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def differences(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """Name each right that the product's role has too much or too little."""
    if not owner.is_apart():
        yield Warning(
            f"The product's role {product()} owns the tables, so the running product could switch off the database's guarantees.",
            hint="Set MIGRATION_DATABASE_URL: see docs/operations.md, “Database roles”.",
            id="ddc.W202",
        )
        return
    with connection.cursor() as cursor:
        cursor.execute(_TOO_STRONG, {"role": product()})
        for (strength,) in cursor.fetchall():
            yield Error(f"The product's role {product()} {strength}.", hint=_HINT, id="ddc.E205")
    wanted = expected()
    for table, rights in sorted(held(connection).items()):
        right = wanted.get(table, WRITTEN)
        if rights != right:
            text = f"The product's role has {_sql(rights) or 'no right'} on table {table}; it needs {_sql(right)}."
            yield Error(text, hint=_HINT, id="ddc.E206")


def _sql(rights: Any) -> str:
    return ", ".join(sorted(rights))
