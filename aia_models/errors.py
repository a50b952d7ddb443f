"""Errors that name, in one line, what is wrong, where, and what would be right."""


class AIAError(Exception):
    """Base of every error that this project raises on purpose."""


class DataError(AIAError):
    """A data set cannot be used as it is."""


class ConfigError(AIAError):
    """A training config holds a value that no training can run with."""


class CheckpointError(AIAError):
    """A checkpoint is missing, damaged or of a newer version."""


class ControlError(AIAError):
    """An attacker read something where there is nothing to read: the judge cannot be trusted on these faces."""


class DivergedError(AIAError):
    """A loss or weight became NaN or infinite: the trial ends as `diverged`, its figures are not made up."""


class ExportError(AIAError):
    """A model cannot be written in the format that was asked for."""


class EmbeddingError(AIAError):
    """A face network cannot be used as it is, or its package is not installed."""
