"""Does a row of a placement file name the person whom a debtor's row names?"""

from dataclasses import dataclass
from datetime import date

from ddc.common import normal_forms


@dataclass(frozen=True)
class Person:
    """A name and a date of birth, as a row or a debtor has them; None where it has none."""

    first_name: str | None
    last_name: str | None
    legal_entity: str | None
    dob: date | None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the person's name in their normal form. Their order makes no difference: some files swap the names."""
        return tuple(sorted(normal_forms.name(f"{self.first_name or ''} {self.last_name or ''}").split()))

    @property
    def company(self) -> str:
        return normal_forms.name(self.legal_entity or "")

    @property
    def form(self) -> str:
        """The normal form by which a decision about this name is found again."""
        return f"{' '.join(self.words)}|{self.company}"

    @property
    def is_nameless(self) -> bool:
        return not (self.words or self.company)


def difference(row: Person, debtor: Person) -> str | None:
    """Return the API's name of the column in which a row contradicts a debtor; None if it does not.

    What one of them lacks is no contradiction, unless one is a person and the other a company.
    """
    if row.words and debtor.words and row.words != debtor.words:
        return "lastName" if row.last_name else "firstName"
    if row.company and debtor.company and row.company != debtor.company:
        return "legalEntity"
    if not row.is_nameless and not (row.words and debtor.words) and not (row.company and debtor.company):
        return "lastName" if row.words else "legalEntity"
    if row.dob and debtor.dob and row.dob != debtor.dob:
        return "dob"
    return None


def same_text_sql(row: str, debtor: str) -> str:
    """Return an SQL condition: a row of ``placement`` has exactly a debtor's names, or none, and no other date of birth."""
    names = "first_name, last_name, legal_entity"
    of_row, of_debtor = (", ".join(f"{table}.{name}" for name in names.split(", ")) for table in (row, debtor))
    return f"""(
        (num_nonnulls({of_row}) = 0 OR ({of_row}) IS NOT DISTINCT FROM ({of_debtor}))
        AND ({row}.dob = {debtor}.dob) IS NOT FALSE
    )"""
