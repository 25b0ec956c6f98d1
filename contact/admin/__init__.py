"""The back office's pages about the contact rules."""

from contact.admin import decisions, policies, preferences  # noqa: F401 - Each registers its own pages.
