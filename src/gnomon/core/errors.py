"""The one error tree.

::

    GnomonError
    ├── InputError          the user can mend it: exit code 2
    │   ├── ConfigError     a setting, an option or a recipe is wrong
    │   ├── DataError       a file or a record cannot be used
    │   ├── NotFound        no such document, expert, step, run
    │   ├── MissingExtra    an optional package is not installed
    │   ├── DriftError      a default changed under an existing artifact
    │   └── OfflineError    an outward call while ``offline = true``
    └── RunError            work failed: exit code 3
        ├── StepFailed      a step raised; holds which, and where its log is
        └── CorruptArtifact a file differs from its record

Every message gives the value and the place; every ``hint`` gives the cure.
"""


class GnomonError(Exception):
    """Base of every error Gnomon raises on purpose.

    Args:
        message: What is wrong, with the value and the place.
        hint: How to mend it.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(GnomonError):
    """The user gave something that cannot be used, and can mend it."""

    exit_code = 2


class ConfigError(InputError):
    """A setting, an option or a recipe is wrong."""


class DataError(InputError):
    """A file or a record cannot be used."""


class NotFound(InputError):
    """Nothing has this name or id."""


class MissingExtra(InputError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed.",
            f"Install it with: pip install 'gnomon[{extra}]'",
        )


class DriftError(InputError):
    """A default changed, so an artifact at this address was made with another value."""


class OfflineError(InputError):
    """An outward call was asked for while ``offline = true`` forbids it."""


class RunError(GnomonError):
    """Work that was started did not succeed."""


class StepFailed(RunError):
    """A step raised an error; its finished shards are kept for the next run."""


class TrainingError(RunError):
    """Training had to stop: a loss that is no number, a spike, a checkpoint that could not be written."""


class CorruptArtifact(RunError):
    """A file of an artifact is missing or differs from its record."""
