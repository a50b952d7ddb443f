"""The error of this package. Its message is one line that names the mistake, its place and what would be right."""


class SpaceError(Exception):
    """Raised for a value, a fixed hyperparameter or a space that cannot be used."""
