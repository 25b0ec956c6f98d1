from agents.admin import records, staff  # noqa: F401 - Each registers its pages.
