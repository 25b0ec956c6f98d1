"""Database functions and triggers of debtors."""

from ddc.common import normal_forms
from ddc.common.postgresql.recorded import recorded
from ddc.common.postgresql.triggers import Function, Trigger

# No SET clause: PostgreSQL then inlines them, and each name that is not of pg_catalog is qualified.
_SEARCH_OPTIONS = "IMMUTABLE PARALLEL SAFE"
# A short list: each letter of each debtor is compared with all of them. The no-break spaces are those that people paste.
_SEPARATORS, _SEPARATOR_COUNT = r"\u00a0\u202f\t\n-.,;/&()@_+", 15
_DROPPED = "\\'`"
_SPACES, _INVISIBLE = (
    "".join(f"\\u{ord(letter):04x}" for letter in letters) for letters in (normal_forms.SPACES, normal_forms.INVISIBLE)
)

FUNCTIONS = [
    Function(
        name="search_text",
        arguments="words text",
        returns="text",
        language="sql",
        options=f"{_SEARCH_OPTIONS} STRICT",
        why="Fold case, accents, spaces and invisible characters; an index needs IMMUTABLE, which unaccent() itself is not.",
        body=f""" SELECT lower(public.unaccent('public.unaccent', regexp_replace(
    translate(words, E'{_SPACES}{_INVISIBLE}', '{" " * len(normal_forms.SPACES)}'), ' +', ' ', 'g'))) """,
    ),
    Function(
        name="debtor_search_text",
        arguments="first_name text, last_name text, email text, legal_entity text",
        returns="text",
        language="sql",
        options=_SEARCH_OPTIONS,
        why="Make the text of debtor.search; a line break separates what a search must not run across.",
        body=""" SELECT public.search_text(
    coalesce(first_name, '') || ' ' || coalesce(last_name, '') || chr(10) || coalesce(email, '') || chr(10)
    || coalesce(legal_entity, '')
) """,
    ),
    Function(
        name="words_of",
        arguments="folded text",
        returns="text",
        language="sql",
        options=f"{_SEARCH_OPTIONS} STRICT",
        why="Part a folded text into words at punctuation, and drop apostrophes: D'Angelo is one word, Jean-Luc are two.",
        body=f" SELECT translate(folded, E'{_SEPARATORS}{_DROPPED}', '{' ' * _SEPARATOR_COUNT}') ",
    ),
    Function(
        name="search_words",
        arguments="words text",
        returns="text",
        language="sql",
        options=f"{_SEARCH_OPTIONS} STRICT",
        why="Write the words of a search in the back office as debtor_lookup writes those of debtors.",
        body=" SELECT public.words_of(public.search_text(words)) ",
    ),
    Function(
        name="debtor_lookup",
        arguments="search text, postal_code text, mobile_phone text",
        returns="text",
        language="sql",
        options=_SEARCH_OPTIONS,
        why="Make the text of a debtor that the back office searches: words, postcode in words and in one, phone at the end.",
        body=""" SELECT ' ' || public.words_of(search) || ' ' || public.words_of(lower(coalesce(postal_code, ''))) || ' '
    || replace(public.words_of(lower(coalesce(postal_code, ''))), ' ', '') || coalesce(mobile_phone, '+') """,
    ),
    Function(
        name="search_compact",
        arguments="words text",
        returns="text",
        language="sql",
        options=f"{_SEARCH_OPTIONS} STRICT",
        why="Write a text without case, accents, spaces and punctuation: references, and what is searched in them.",
        body=" SELECT replace(public.words_of(public.search_text(words)), ' ', '') ",
    ),
    Function(
        name="record_contact_points_of_new_debtors",
        why="Add the addresses of all debtors of one INSERT to contact_point.",
        body="""
BEGIN
    INSERT INTO contact_point (debtor_id, kind, value, created_at, updated_at)
    SELECT id, 'email', normal_email, created_at, created_at FROM inserted WHERE normal_email IS NOT NULL
    UNION ALL
    SELECT id, 'phone', normal_phone, created_at, created_at FROM inserted WHERE normal_phone IS NOT NULL
    ON CONFLICT ON CONSTRAINT contact_point_is_unique DO NOTHING;
    RETURN NULL;
END """,
    ),
    Function(
        name="record_contact_points_of_changed_debtors",
        why="Add the addresses that one UPDATE of debtors changed to contact_point.",
        body="""
BEGIN
    INSERT INTO contact_point (debtor_id, kind, value, created_at, updated_at)
    SELECT id, 'email', updated.normal_email, updated.updated_at, updated.updated_at
    FROM updated JOIN before USING (id)
    WHERE updated.normal_email IS NOT NULL AND updated.normal_email IS DISTINCT FROM before.normal_email
    UNION ALL
    SELECT id, 'phone', updated.normal_phone, updated.updated_at, updated.updated_at
    FROM updated JOIN before USING (id)
    WHERE updated.normal_phone IS NOT NULL AND updated.normal_phone IS DISTINCT FROM before.normal_phone
    ON CONFLICT ON CONSTRAINT contact_point_is_unique DO NOTHING;
    RETURN NULL;
END """,
    ),
]

# By statement: an import of a hundred thousand debtors costs one statement more.
TRIGGERS = [
    Trigger(
        name="contact_points_after_insert",
        table="debtor",
        event="AFTER INSERT",
        rows="NEW TABLE AS inserted",
        each="STATEMENT",
        function="record_contact_points_of_new_debtors",
        why="Each address of a new debtor has a contact point, whatever program writes the debtor.",
    ),
    Trigger(
        name="contact_points_after_update",
        table="debtor",
        event="AFTER UPDATE",
        rows="OLD TABLE AS before NEW TABLE AS updated",
        each="STATEMENT",
        function="record_contact_points_of_changed_debtors",
        why="Each new address of a debtor has a contact point, and the old one keeps its own.",
    ),
    *recorded("debtor", person="id", hidden=("search", "normal_email", "normal_phone", "token_version")),
    # Those of a debtor's own addresses are added by the triggers above; the debtor's event has these addresses.
    *recorded("contact_point", person="debtor_id", insert_when="pg_trigger_depth() = 0"),
    *recorded("consent", person="debtor_id"),
]
