-- The two roles of a site, and its database. A superuser runs this once per server:
--
--     PGOPTIONS="-c ddc.owner_password=ONE -c ddc.product_password=OTHER" psql -v ON_ERROR_STOP=1 -f roles.sql postgres
--
-- ddc_owner owns the database and all tables, functions and triggers; `manage.py migrate` connects as this role.
-- ddc is the role of the web server, the workers and the commands. It owns nothing; `migrate` grants it what it needs, table by
-- table. So the running product cannot switch off a trigger or a constraint.
DO $$
BEGIN
    EXECUTE format(
        'CREATE ROLE ddc LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
        current_setting('ddc.product_password')
    );
    -- CREATEDB: a restored database gets the name of the old one, and tests make their own.
    EXECUTE format(
        'CREATE ROLE ddc_owner LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
        current_setting('ddc.owner_password')
    );
    -- A member may end the product's sessions, before a database is renamed or dropped.
    GRANT ddc TO ddc_owner;
END
$$;

CREATE DATABASE ddc OWNER ddc_owner;
