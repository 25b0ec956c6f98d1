"""The back office's pages of casework, and those of a person and of a debt."""

from casework.admin import claims, follow_ups, notes  # noqa: F401 - Each registers its own pages.
from casework.admin.person import page  # noqa: F401
