"""What a reader of a study did wrong, or what the study does not hold."""


class AnalysisError(Exception):
    """One line that names what is wrong, where, and what would be right."""
