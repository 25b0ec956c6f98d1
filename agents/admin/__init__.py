from agents.admin import limits, records, staff  # noqa: F401 - Each registers its pages.
