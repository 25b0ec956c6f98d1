from collection.admin import debts, deferrals, disputes, holds, imports, ledger, placements, segments, tariffs  # noqa: F401 - Each registers its pages.
