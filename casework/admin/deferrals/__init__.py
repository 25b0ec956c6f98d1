"""The back office's pages on which deferral requests are decided."""

from casework.admin.deferrals import page  # noqa: F401 - It registers the pages.
