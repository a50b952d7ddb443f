"""The command line `aia-study`: one module a command or group of commands. Others use `main` and `run`."""

from study.cli.app import main, run

__all__ = ["main", "run"]
