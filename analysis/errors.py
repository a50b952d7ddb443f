"""The error that `analysis` raises for what its caller asked for or for what a study's files hold."""


class AnalysisError(Exception):
    """A question that cannot be answered: the caller's arguments are wrong or the study lacks the results.

    The message is one line that names what is wrong, where it is, and what would be right.
    """
