#!/usr/bin/env python
"""Run administrative commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ddc.settings")
    from django.core.management import execute_from_command_line

    from ddc.common.postgresql import recorded

    recorded.begin(recorded.of_command(sys.argv))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
