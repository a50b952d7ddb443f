"""What stops a study on purpose: one line that names what is wrong, where, and what would be right."""


class StudyError(Exception):
    """Base of every error that the study package raises on purpose."""


class SpecError(StudyError):
    """A spec, or a setting on top of it, that no study can run with."""
