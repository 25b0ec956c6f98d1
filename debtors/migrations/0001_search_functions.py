"""The functions behind the search column: PostgreSQL's own unaccent() is only STABLE, and an index needs IMMUTABLE."""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

CREATE = """
CREATE FUNCTION search_text(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT lower(public.unaccent('public.unaccent', words)) $$;

-- A line break parts what a search must not run across: the full name, the address, the company.
CREATE FUNCTION debtor_search_text(first_name text, last_name text, email text, legal_entity text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT lower(public.unaccent('public.unaccent',
    coalesce(first_name, '') || ' ' || coalesce(last_name, '') || chr(10) || email || chr(10) || coalesce(legal_entity, '')
)) $$;
"""
DROP = "DROP FUNCTION debtor_search_text(text, text, text, text); DROP FUNCTION search_text(text);"


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [TrigramExtension(), UnaccentExtension(), migrations.RunSQL(CREATE, DROP)]
