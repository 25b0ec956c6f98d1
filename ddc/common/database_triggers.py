"""Trigger functions that several apps use."""

from ddc.common.postgresql.triggers import Function, Right

FUNCTIONS = [
    Function(
        name="refuse_change",
        why="Raise the error that the trigger passes as its argument.",
        body="""
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END """,
    ),
    Function(
        name="refuse_delete_of_referenced_row",
        why="Refuse to delete a row that a table refers to without a foreign key; arguments: that table and its column.",
        # An older snapshot than READ COMMITTED takes for this statement would miss a reference that was just committed.
        body="""
DECLARE
    is_referenced boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Rows of % are deleted only under READ COMMITTED.', TG_TABLE_NAME
            USING ERRCODE = 'object_not_in_prerequisite_state', CONSTRAINT = TG_NAME;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE %I = $1)', TG_ARGV[0], TG_ARGV[1])
        INTO is_referenced USING OLD.id;
    IF is_referenced THEN
        RAISE EXCEPTION 'A row of % is still used by %.', TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END """,
    ),
    Function(
        name="refuse_delete_without_parent",
        why="Refuse to delete evidence while the row that it belongs to exists; arguments: that table and the key column.",
        body="""
DECLARE
    has_parent boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE id = ($1).%I)', TG_ARGV[0], TG_ARGV[1])
        INTO has_parent USING OLD;
    IF has_parent THEN
        RAISE EXCEPTION 'Rows of % are deleted only together with their row of %.', TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END """,
    ),
]

RIGHTS = [
    Right(table="django_migrations", granted=["SELECT"], why="Only migrations write it."),
    Right(table="django_content_type", granted=["SELECT"], why="Only migrations write it."),
    Right(table="auth_permission", granted=["SELECT"], why="Only migrations write it."),
    Right(table="auth_group", granted=["SELECT"], why="Roles are set by migrations."),
    Right(table="auth_group_permissions", granted=["SELECT"], why="What a role may do is set by migrations."),
    Right(table="django_admin_log", granted=["SELECT", "INSERT"], why="The back office's log is never changed."),
]
