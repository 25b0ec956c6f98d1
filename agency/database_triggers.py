"""Database triggers of the agency's values."""

from ddc.common.postgresql.recorded import recorded

TRIGGERS = recorded(
    "agency_profile",
    hidden=("logo",),
    why="What the agency calls itself to debtors leaves who, when, before and after.",
)
