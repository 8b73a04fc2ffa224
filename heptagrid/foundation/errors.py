"""The errors of heptagrid: a small tree, each with a sentence that says what to do, and an exit code."""

from heptagrid.foundation.printable import printable

_LONGEST_LINE = 2000


class HeptagridError(Exception):
    """Something heptagrid cannot go on with; the message names the thing, what was found, and the remedy."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__("\n".join(_shortened(line) for line in printable(message).split("\n")))


class UsageError(HeptagridError):
    """The command was called in a way it does not understand."""

    exit_code = 2


class ScenarioError(HeptagridError):
    """A scenario breaks one or more rules; `violations` lists all of them."""

    exit_code = 3

    def __init__(self, origin: str, violations: list[str]) -> None:
        self.origin = origin
        self.violations = violations
        count = f"{len(violations)} problem{'s' if len(violations) > 1 else ''}"
        super().__init__("\n  ".join([f"{origin}: {count} in the scenario", *violations]))


class FileError(HeptagridError):
    """An input file breaks one or more rules; `violations` lists them, each with its table or row."""

    exit_code = 3

    def __init__(self, origin: str, violations: list[str]) -> None:
        self.origin = origin
        self.violations = violations
        shown = violations[:20]
        if len(violations) > len(shown):
            shown = [*shown, f"and {len(violations) - len(shown)} more"]
        count = f"{len(violations)} problem{'s' if len(violations) > 1 else ''}"
        super().__init__("\n  ".join([f"{origin}: {count}", *shown]))


class NetworkError(HeptagridError):
    """An electrical network that the radial solver cannot stand for (an island, a loop)."""

    exit_code = 4


class OutputError(HeptagridError):
    """The results folder cannot be written, or holds another run."""

    exit_code = 5


class ContractError(HeptagridError):
    """A message that does not carry what its contract declares."""

    exit_code = 6


class ConservationError(HeptagridError):
    """A run whose energy, messages or money do not add up: a defect in heptagrid."""

    exit_code = 7


class ValidationError(HeptagridError):
    """An exact comparison of `heptagrid validate` that fails; what it names is not to be trusted."""

    exit_code = 8


class MarketError(HeptagridError):
    """A market that comes to no answer: what is asked of it cannot be had."""

    exit_code = 9


class PartialRunWarning(UserWarning):
    """A run that went on although part of it failed (a feeder that did not converge)."""


def _shortened(line: str) -> str:
    """A line of an error, without the middle of what a file may hold thousands of letters of."""
    if len(line) <= _LONGEST_LINE:
        return line
    half = _LONGEST_LINE // 2
    return f"{line[:half]} [{len(line) - 2 * half} letters left out] {line[-half:]}"
