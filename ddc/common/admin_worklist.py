"""Pages of rows that workers write and agents act on."""

from collections.abc import Sequence

from ddc.common.admin import ReadOnlyAdmin, RuledAdmin


class WorklistAdmin(ReadOnlyAdmin, RuledAdmin):
    """Rows that nobody writes here, with actions that call rules on them."""

    actions: Sequence[str] = ()
