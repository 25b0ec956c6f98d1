"""Pages of arrangement policies, and arrangements on other pages. Their own pages are in ``casework/admin/arrangements``."""

from arrangements.admin import policies  # noqa: F401 - It registers its pages.
