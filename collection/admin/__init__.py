from collection.admin import debts, deferrals, disputes, holds, ledger, placements, segments, tariffs  # noqa: F401 - Each registers its pages.
