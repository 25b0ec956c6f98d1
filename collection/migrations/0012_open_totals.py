"""Keep sums of what is open as debts change, so that the dashboard doesn't go over all of them.

Each change of debts adds rows that say by how much it moved the sums of a currency and due date. Rows are only ever added (and
folded, see ``collection/balances/open_totals.py``), so two payments never wait for each other here. Whatever writes debts is seen, COPY and
plain SQL too, hence ALWAYS: it holds for a session that has switched triggers off for its bulk load as well.
"""

from django.db import migrations

OPEN = "'active', 'payment_plan', 'deferred', 'disputed'"
# CREATE TRIGGER keeps writers away until the migration's COMMIT, so that nothing is missed or counted twice.
CREATE = f"""
CREATE TABLE open_total (currency_code varchar(3) NOT NULL, due_date date, debts bigint NOT NULL, balance numeric NOT NULL);
COMMENT ON TABLE open_total IS 'What is open by currency and due date: the sum of the rows. Written by triggers of debt alone.';

CREATE FUNCTION count_new_debts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO open_total SELECT currency_code, due_date, count(*), sum(current_balance) FROM written
    WHERE current_status IN ({OPEN}) GROUP BY currency_code, due_date;
    RETURN NULL;
END $$;

CREATE FUNCTION count_changed_debt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.current_status IN ({OPEN}) AND NEW.current_status IN ({OPEN})
        AND OLD.currency_code = NEW.currency_code AND OLD.due_date IS NOT DISTINCT FROM NEW.due_date
    THEN
        IF NEW.current_balance <> OLD.current_balance THEN
            INSERT INTO open_total VALUES (NEW.currency_code, NEW.due_date, 0, NEW.current_balance - OLD.current_balance);
        END IF;
        RETURN NULL;
    END IF;
    IF OLD.current_status IN ({OPEN}) THEN
        INSERT INTO open_total VALUES (OLD.currency_code, OLD.due_date, -1, -OLD.current_balance);
    END IF;
    IF NEW.current_status IN ({OPEN}) THEN
        INSERT INTO open_total VALUES (NEW.currency_code, NEW.due_date, 1, NEW.current_balance);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted_debts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO open_total SELECT currency_code, due_date, -count(*), -sum(current_balance) FROM deleted
    WHERE current_status IN ({OPEN}) GROUP BY currency_code, due_date;
    RETURN NULL;
END $$;

CREATE FUNCTION count_no_debts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE open_total; -- A DELETE would not see what a fold commits meanwhile.
    RETURN NULL;
END $$;

CREATE TRIGGER new_debts_are_counted AFTER INSERT ON debt
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION count_new_debts();
-- By row, for most statements change one debt's money, or no debt's.
CREATE TRIGGER changed_debt_is_counted AFTER UPDATE OF currency_code, due_date, current_status, current_balance ON debt
    FOR EACH ROW WHEN (
        (OLD.currency_code, OLD.due_date, OLD.current_status, OLD.current_balance)
            IS DISTINCT FROM (NEW.currency_code, NEW.due_date, NEW.current_status, NEW.current_balance)
    ) EXECUTE FUNCTION count_changed_debt();
CREATE TRIGGER deleted_debts_are_counted AFTER DELETE ON debt
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_debts();
CREATE TRIGGER emptied_debts_are_counted AFTER TRUNCATE ON debt
    FOR EACH STATEMENT EXECUTE FUNCTION count_no_debts();
ALTER TABLE debt ENABLE ALWAYS TRIGGER new_debts_are_counted, ENABLE ALWAYS TRIGGER changed_debt_is_counted,
    ENABLE ALWAYS TRIGGER deleted_debts_are_counted, ENABLE ALWAYS TRIGGER emptied_debts_are_counted;

INSERT INTO open_total SELECT currency_code, due_date, count(*), sum(current_balance) FROM debt
    WHERE current_status IN ({OPEN}) GROUP BY currency_code, due_date;
"""
DROP = """
DROP TRIGGER new_debts_are_counted ON debt;
DROP TRIGGER changed_debt_is_counted ON debt;
DROP TRIGGER deleted_debts_are_counted ON debt;
DROP TRIGGER emptied_debts_are_counted ON debt;
DROP FUNCTION count_new_debts(), count_changed_debt(), count_deleted_debts(), count_no_debts();
DROP TABLE open_total;
"""


class Migration(migrations.Migration):
    dependencies = [("collections", "0011_moved_by_several")]
    operations = [migrations.RunSQL(CREATE, DROP)]
