"""The command line `aia-study`: one module for each command or group of commands, and the options in `app`.

Other rooms, and programs that embed the command line, use `main` and `run`.
"""

from study.cli.app import main, run

__all__ = ["main", "run"]
