"""The back office's pages of casework."""

from casework.admin import claims, follow_ups, notes  # noqa: F401 - Each registers its own pages.
