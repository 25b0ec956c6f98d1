"""A migration must not keep a site that is at work from its big tables. Read from the SQL that each would run."""

import re

import pytest
from django.core.management import call_command
from django.db import connection, connections, migrations
from django.db.migrations.loader import MigrationLoader

#: With millions of rows. Their first migrations make them, and may do as they like.
BIG = {
    "debtor", "debt", "payment", "ledger_entry", "communication_log", "digital_activity", "otp_session", "strategy_step",
    "message_attempt", "contact_point",
}  # fmt: skip
OURS = (
    "agency",
    "agents",
    "casework",
    "collections",
    "common",
    "communications",
    "debtors",
    "payments",
    "portal",
    "strategy",
)

#: What reads or writes every row, or keeps others out meanwhile, and what to do instead.
DANGERS = {
    r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "AddIndexConcurrently of ddc.common.postgresql.indexes, with atomic = False",
    r"ALTER COLUMN \S+ TYPE (?!varchar|text)": "a new column, filled in steps",
    r"ALTER COLUMN \S+ SET NOT NULL": "a check constraint NOT VALID, validated afterwards",
    r"ADD CONSTRAINT (?!.*NOT VALID)(?=.*(CHECK|FOREIGN KEY))": "NOT VALID, then VALIDATE CONSTRAINT in another migration",
    r"ADD CONSTRAINT \S+ (UNIQUE|PRIMARY KEY) (?!USING INDEX)": "USING INDEX, which was made CONCURRENTLY",
    r"ADD COLUMN .*(STORED|DEFAULT (?!NULL|'|\d|false|true)\S*\()": "a constant default, or a new column filled in steps",
    r"^UPDATE|^DELETE": "a command that works in steps",
}  # fmt: skip


def later_migrations() -> list[tuple[str, str]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return sorted(key for key in loader.disk_migrations if key[0] in OURS and not key[1].startswith("0001"))


def dangers(statements: list[str], made: set[str]) -> list[str]:
    """List what can't be run again among the statements, and what is dangerous for big tables that they don't make themselves."""
    found, hurried = [], True
    for statement in statements:
        text = " ".join(statement.split())
        if "lock_timeout" in text:
            hurried = text != "SET lock_timeout = 0;"
        if re.search(r"INDEX CONCURRENTLY (?!IF (NOT )?EXISTS)", text) or ("CONCURRENTLY" in text and hurried):
            found.append(f"{text} -> ddc.common.postgresql.indexes, or it can't be run again where it was cut short")
        made |= set(re.findall(r'^CREATE TABLE "(\w+)"', text))
        table = re.search(r'(?:^ALTER TABLE|^UPDATE|^DELETE FROM| ON) (?:ONLY )?"?(\w+)"?', text)
        if table and table[1] in BIG - made:
            found += [f"{text} -> {instead}" for danger, instead in DANGERS.items() if re.search(danger, text)]
    return found


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
@pytest.mark.parametrize("key", later_migrations(), ids=".".join)
def test_it_does_not_lock_a_big_table(key: tuple[str, str], monkeypatch: pytest.MonkeyPatch):
    loader = MigrationLoader(connection)
    migration = loader.get_migration(*key)
    assert not [op for op in migration.operations if isinstance(op, migrations.RunPython)], (
        "rows are changed in commands"
    )
    before = loader.project_state(key, at_end=False)
    with monkeypatch.context() as patched:
        if not migration.atomic:  # Nothing is run, so nothing minds this test's own transaction.
            patched.setattr(connections["default"], "in_atomic_block", False)
        with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
            migration.apply(before, editor, collect_sql=True)
    statements = [sql for sql in editor.collected_sql if not sql.startswith("--")]
    assert dangers(statements, set()) == []


@pytest.mark.parametrize(
    ("statement", "is_dangerous"),
    [
        ('CREATE INDEX "i" ON "debt" ("x");', True),
        ('CREATE INDEX CONCURRENTLY "i" ON "debt" ("x");', True),
        ('CREATE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "debt" ("x");', True),
        ('DROP INDEX CONCURRENTLY IF EXISTS "i";', True),
        ('CREATE INDEX "i" ON "segment" ("x");', False),
        ('ALTER TABLE "payment" ADD COLUMN "x" varchar(9) NULL;', False),
        ('ALTER TABLE "payment" ADD COLUMN "x" varchar(9) DEFAULT \'a\' NOT NULL;', False),
        ('ALTER TABLE "payment" ADD COLUMN "x" uuid DEFAULT uuidv7() NOT NULL;', True),
        ('ALTER TABLE "payment" ALTER COLUMN "x" SET NOT NULL;', True),
        ('ALTER TABLE "payment" ALTER COLUMN "x" TYPE bigint USING "x"::bigint;', True),
        ('ALTER TABLE "debt" ADD CONSTRAINT "c" CHECK ("x" > 0);', True),
        ('ALTER TABLE "debt" ADD CONSTRAINT "c" CHECK ("x" > 0) NOT VALID;', False),
        ('ALTER TABLE "debt" ADD CONSTRAINT "c" UNIQUE ("x");', True),
        ('ALTER TABLE "debt" ADD CONSTRAINT "c" UNIQUE USING INDEX "i";', False),
        ("UPDATE debt SET x = 1", True),
    ],
)
def test_what_counts_as_dangerous(statement: str, is_dangerous: bool):
    assert bool(dangers([statement], set())) == is_dangerous


def test_what_takes_its_time_and_can_be_run_again_is_not_dangerous():
    making, dropping = (
        'CREATE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "debt" ("x");',
        'DROP INDEX CONCURRENTLY IF EXISTS "j";',
    )
    patient = ["SET lock_timeout = 0;", making, dropping, "RESET lock_timeout;"]
    assert dangers(patient, set()) == []
    assert len(dangers([*patient, making], set())) == 1
    assert len(dangers(["SET lock_timeout = 0;", making.replace("IF NOT EXISTS ", "")], set())) == 1


def test_a_table_that_the_migration_makes_may_be_locked():
    statements = ['CREATE TABLE "contact_point" ("id" uuid);', 'CREATE INDEX "i" ON "contact_point" ("id");']
    assert dangers(statements, set()) == []
