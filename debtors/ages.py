"""The age of debtors."""

from datetime import date

#: The age of majority. A few places have a higher one: 19 in Alabama and Nebraska, 21 in Mississippi, 20 in Thailand.
MAJORITY = 18


def is_minor(born: date, today: date) -> bool:
    """Check whether a person is not of age on a day."""
    return today < of_age_on(born)


def of_age_on(born: date) -> date:
    """Return the first day on which a person is of age; born on 29 February, that is 1 March."""
    try:
        return born.replace(year=born.year + MAJORITY)
    except ValueError:
        return date(born.year + MAJORITY, 3, 1)


def born_before_majority(today: date) -> date:
    """Return the last date of birth of persons who are of age on a day."""
    try:
        return today.replace(year=today.year - MAJORITY)
    except ValueError:
        return date(today.year - MAJORITY, 2, 28)
