from collection.admin import debts, disputes, holds, imports, ledger, placements, segments, tariffs  # noqa: F401 - Each registers its pages.
