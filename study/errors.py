"""Errors that users see. Each message is one line that names what is wrong, where, and what would be right."""


class StudyError(Exception):
    """Base of every error that the study package raises on purpose."""


class SpecError(StudyError):
    """A spec or a setting that no study can run with."""
