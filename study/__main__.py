"""Runs `aia-study` as `python -m study`, also from a checkout that is not installed."""

from study.cli.app import main

if __name__ == "__main__":
    main()
