"""`python -m study` is `aia-study`, also where only the code is there and nothing was installed."""

from study.cli.app import main

if __name__ == "__main__":
    main()
