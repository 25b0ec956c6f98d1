"""The back office's pages of casework, those of a person and of a debt, and those on which deferral requests are decided."""

from casework.admin import arrangements, claims, deferrals, follow_ups, notes, support  # noqa: F401 - Each registers its own pages.
from casework.admin.person import page  # noqa: F401
