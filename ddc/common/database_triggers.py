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
    Function(
        name="record_changes",
        why="Add the changed rows of one statement to audit_event; arguments: the columns of key and person, hidden columns.",
        as_owner=True,
        # By statement: an import of a hundred thousand debtors costs one statement more. A row with the same values as before
        # is left out.
        body="""
DECLARE
    hidden text[] := TG_ARGV[2:];
    actor jsonb := coalesce(
        nullif(current_setting('ddc.actor', true), '')::jsonb,
        jsonb_build_object('kind', 'database', 'name', session_user, 'source', 'sql')
    );
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit_event (
            actor_kind, actor_id, actor_name, source, request_id, table_name, row_id, person_id, operation, after
        )
        SELECT actor ->> 'kind', (actor ->> 'id')::uuid, actor ->> 'name', actor ->> 'source', actor ->> 'request_id',
            TG_TABLE_NAME, later ->> TG_ARGV[0], (later ->> TG_ARGV[1])::uuid, 'insert', jsonb_strip_nulls(later - hidden)
        FROM (SELECT to_jsonb(inserted) AS later FROM inserted) AS changed;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audit_event (
            actor_kind, actor_id, actor_name, source, request_id, table_name, row_id, person_id, operation, before
        )
        SELECT actor ->> 'kind', (actor ->> 'id')::uuid, actor ->> 'name', actor ->> 'source', actor ->> 'request_id',
            TG_TABLE_NAME, earlier ->> TG_ARGV[0], (earlier ->> TG_ARGV[1])::uuid, 'delete',
            jsonb_strip_nulls(earlier - hidden)
        FROM (SELECT to_jsonb(deleted) AS earlier FROM deleted) AS changed;
    ELSE
        INSERT INTO audit_event (
            actor_kind, actor_id, actor_name, source, request_id, table_name, row_id, person_id, operation, before, after
        )
        SELECT actor ->> 'kind', (actor ->> 'id')::uuid, actor ->> 'name', actor ->> 'source', actor ->> 'request_id',
            TG_TABLE_NAME, coalesce(was.earlier ->> TG_ARGV[0], became.later ->> TG_ARGV[0]),
            coalesce(was.earlier ->> TG_ARGV[1], became.later ->> TG_ARGV[1])::uuid, 'update',
            difference.earlier, difference.later
        FROM (SELECT to_jsonb(before) AS earlier FROM before) AS was
        -- A full join, because a statement may change the key itself.
        FULL JOIN (SELECT to_jsonb(updated) AS later FROM updated) AS became ON earlier ->> TG_ARGV[0] = later ->> TG_ARGV[0]
        CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(name, was.earlier -> name) AS earlier, jsonb_object_agg(name, became.later -> name) AS later
            FROM jsonb_object_keys(coalesce(became.later, was.earlier) - hidden) AS name
            WHERE was.earlier -> name IS DISTINCT FROM became.later -> name
        ) AS difference
        WHERE difference.later IS NOT NULL;
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
