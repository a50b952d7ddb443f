"""The error of this package: one line that names what is wrong, where, and what would be right."""


class SpaceError(Exception):
    """A value, a fixed hyperparameter or a space that cannot be used as it is."""
