#!/usr/bin/env python
"""Runs Django's commands; `manage.py test` hands its arguments to pytest."""

import os
import sys


def main() -> None:
    if sys.argv[1:2] == ["test"]:
        # pytest sets up Django itself, with the test settings that pyproject.toml names.
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[2:]])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
