"""Addresses get rows of their own, with what ended their use; the list of suppressed addresses becomes part of them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

import ddc.common.models

# Statement triggers over all rows at once: an import of a hundred thousand debtors is two statements more.
_TRIGGERS = """
CREATE FUNCTION note_contact_points() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contact_point (debtor_id, kind, value, created_at, updated_at)
    SELECT id, 'email', lower(btrim(email)), created_at, created_at FROM written WHERE btrim(email) <> ''
    UNION ALL
    SELECT id, 'phone', mobile_phone, created_at, created_at FROM written WHERE mobile_phone <> ''
    ON CONFLICT ON CONSTRAINT contact_point_is_noted_once DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION note_changed_contact_points() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO contact_point (debtor_id, kind, value, created_at, updated_at)
    SELECT id, 'email', lower(btrim(written.email)), written.updated_at, written.updated_at
    FROM written JOIN before USING (id)
    WHERE btrim(written.email) <> '' AND lower(btrim(written.email)) <> lower(btrim(before.email))
    UNION ALL
    SELECT id, 'phone', written.mobile_phone, written.updated_at, written.updated_at
    FROM written JOIN before USING (id)
    WHERE written.mobile_phone <> '' AND written.mobile_phone IS DISTINCT FROM before.mobile_phone
    ON CONFLICT ON CONSTRAINT contact_point_is_noted_once DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER debtor_contact_points_of_new AFTER INSERT ON debtor
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION note_contact_points();
CREATE TRIGGER debtor_contact_points_of_changed AFTER UPDATE ON debtor
    REFERENCING OLD TABLE AS before NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_contact_points();
"""
_NO_TRIGGERS = """
DROP TRIGGER debtor_contact_points_of_new ON debtor;
DROP TRIGGER debtor_contact_points_of_changed ON debtor;
DROP FUNCTION note_contact_points();
DROP FUNCTION note_changed_contact_points();
"""

_FILL = """
INSERT INTO contact_point (debtor_id, kind, value, created_at, updated_at)
SELECT id, 'email', lower(btrim(email)), created_at, created_at FROM debtor WHERE btrim(email) <> ''
UNION ALL
SELECT id, 'phone', mobile_phone, created_at, created_at FROM debtor WHERE mobile_phone <> '';

INSERT INTO contact_point (debtor_id, kind, value, created_at, updated_at)
SELECT DISTINCT ON (kind, address) NULL::uuid, kind, address, created_at, created_at
FROM (SELECT CASE medium WHEN 'email' THEN 'email' ELSE 'phone' END AS kind, address, created_at FROM suppression) AS listed
WHERE NOT EXISTS (SELECT FROM contact_point WHERE contact_point.kind = listed.kind AND value = address)
ORDER BY kind, address, created_at;

UPDATE contact_point SET opted_out_at = listed.created_at, opted_out_how = source
FROM suppression AS listed
WHERE value = address AND kind = CASE medium WHEN 'email' THEN 'email' ELSE 'phone' END
  AND medium <> 'voice' AND reason = 'opted_out';
UPDATE contact_point SET calls_opted_out_at = listed.created_at, calls_opted_out_how = source
FROM suppression AS listed
WHERE value = address AND kind = 'phone' AND medium = 'voice';
UPDATE contact_point SET bounced_at = listed.created_at, bounced_how = source, bounces = 1
FROM suppression AS listed
WHERE value = address AND kind = CASE medium WHEN 'email' THEN 'email' ELSE 'phone' END
  AND medium <> 'voice' AND reason = 'bounced';
UPDATE contact_point SET complained_at = listed.created_at, complained_how = source
FROM suppression AS listed
WHERE value = address AND kind = CASE medium WHEN 'email' THEN 'email' ELSE 'phone' END
  AND medium <> 'voice' AND reason = 'complained';
"""
_EMPTY_AGAIN = """
INSERT INTO suppression (id, created_at, updated_at, medium, address, reason, source)
SELECT uuidv7(), min(since), min(since), medium, value, (array_agg(reason ORDER BY rank))[1], (array_agg(how ORDER BY rank))[1]
FROM contact_point, LATERAL (VALUES
    (CASE kind WHEN 'email' THEN 'email' ELSE 'sms' END, 'opted_out', 1,
        CASE WHEN opted_in_at IS NULL OR opted_in_at <= opted_out_at THEN opted_out_at END, opted_out_how),
    ('voice', 'opted_out', 1,
        CASE WHEN calls_opted_in_at IS NULL OR calls_opted_in_at <= calls_opted_out_at THEN calls_opted_out_at END,
        calls_opted_out_how),
    (CASE kind WHEN 'email' THEN 'email' ELSE 'sms' END, 'complained', 2, complained_at, complained_how),
    (CASE kind WHEN 'email' THEN 'email' ELSE 'sms' END, 'bounced', 3, bounced_at, bounced_how),
    ('sms', 'bounced', 4, wrong_number_at, wrong_number_how),
    ('voice', 'bounced', 4, wrong_number_at, wrong_number_how)
) AS stop (medium, reason, rank, since, how)
WHERE since IS NOT NULL GROUP BY medium, value;
"""


class Migration(migrations.Migration):
    dependencies = [("debtors", "0002_initial")]

    operations = [
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=ddc.common.models.UUIDv7(),
                        default=ddc.common.models.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        default=django.utils.timezone.now,
                        editable=False,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("kind", models.CharField(choices=[("email", "e-mail"), ("phone", "Phone")], max_length=5)),
                (
                    "value",
                    models.CharField(
                        help_text="An e-mail address in lower case, or a phone number (E.164).", max_length=254
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(blank=True, help_text="When they showed that it is theirs.", null=True),
                ),
                (
                    "consent_basis",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("debtor", "told us"),
                            ("creditor", "told the creditor"),
                            ("portal", "said so in the portal"),
                            ("reply", "wrote START"),
                        ],
                        max_length=10,
                        null=True,
                    ),
                ),
                (
                    "consented_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When they agreed to be written to there, by mail or by text message.",
                        null=True,
                    ),
                ),
                (
                    "opted_out_at",
                    models.DateTimeField(blank=True, help_text="Of mail, or of text messages.", null=True),
                ),
                ("opted_out_how", models.CharField(blank=True, max_length=255, null=True)),
                ("opted_in_at", models.DateTimeField(blank=True, null=True)),
                ("opted_in_how", models.CharField(blank=True, max_length=255, null=True)),
                ("calls_opted_out_at", models.DateTimeField(blank=True, null=True)),
                ("calls_opted_out_how", models.CharField(blank=True, max_length=255, null=True)),
                ("calls_opted_in_at", models.DateTimeField(blank=True, null=True)),
                ("calls_opted_in_how", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "bounces",
                    models.PositiveIntegerField(
                        db_default=0, default=0, help_text="How often it was told that it is dead."
                    ),
                ),
                (
                    "bounced_at",
                    models.DateTimeField(blank=True, help_text="Since when nothing arrives there.", null=True),
                ),
                ("bounced_how", models.CharField(blank=True, max_length=255, null=True)),
                ("complained_at", models.DateTimeField(blank=True, null=True)),
                ("complained_how", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "wrong_number_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="When somebody else answered there, who must not be told of a debt again.",
                        null=True,
                    ),
                ),
                ("wrong_number_how", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "messages_stopped",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                models.Q(
                                    models.Q(
                                        ("opted_out_at__isnull", False),
                                        models.Q(
                                            ("opted_in_at__isnull", True),
                                            ("opted_in_at__lte", models.F("opted_out_at")),
                                            _connector="OR",
                                        ),
                                    ),
                                    ("bounced_at__isnull", False),
                                    ("complained_at__isnull", False),
                                    ("wrong_number_at__isnull", False),
                                    _connector="OR",
                                ),
                                then=models.Value(True),
                            ),
                            default=models.Value(False),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                (
                    "calls_stopped",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                models.Q(
                                    models.Q(
                                        ("calls_opted_out_at__isnull", False),
                                        models.Q(
                                            ("calls_opted_in_at__isnull", True),
                                            ("calls_opted_in_at__lte", models.F("calls_opted_out_at")),
                                            _connector="OR",
                                        ),
                                    ),
                                    ("wrong_number_at__isnull", False),
                                    _connector="OR",
                                ),
                                then=models.Value(True),
                            ),
                            default=models.Value(False),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="contact_points",
                        to="debtors.debtor",
                    ),
                ),
            ],
            options={
                "db_table": "contact_point",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(fields=["-created_at", "-id"], name="contact_point_newest"),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(fields=["value", "kind"], name="contact_point_value"),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(
                condition=models.Q(("messages_stopped", True), ("calls_stopped", True), _connector="OR"),
                fields=["kind", "value"],
                name="contact_point_stopped",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(fields=("debtor", "kind", "value"), name="contact_point_is_noted_once"),
        ),
        migrations.RunSQL(_FILL, _EMPTY_AGAIN),
        # Foreign keys are deferred, and a table with such checks pending can't be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED", migrations.RunSQL.noop),
        migrations.RunSQL(_TRIGGERS, _NO_TRIGGERS),
        migrations.DeleteModel(name="Suppression"),
    ]
