"""Executes an OpenDSS script line by line in an engine of its own, which runs no other program and writes no file.

A line is taken apart, compared with what is allowed (see `allowed`), and put together again for the engine. Files that a line redirects to are
read here, so that an error can name its file and line. What would print, plot, export or save is left out. A script may solve: its
solves are executed, with the controls at work or held.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import FileError
from heptagrid.importers.importer import MissingPackageError
from heptagrid.importers.opendss import allowed, statement
from heptagrid.importers.opendss.files import Lent, existing, lines_of, portable
from heptagrid.importers.opendss.statement import Parameter, StatementError

CONTROL_COMMANDS = frozenset(("_samplecontrols", "_docontrolactions"))
NOT_CONVERGED = frozenset((482, 483, 485))  # the engine goes on after these, and so do we
DEEPEST = 50
UNSHOWN = "it cannot be executed; more is shown only of files .dss in the folder of the first one or below it"


@contextmanager
def opendss() -> Iterator[Any]:
    """An OpenDSS engine with a state of its own.

    Raises
    ------
    MissingPackageError
        If dss-python is not installed.
    """
    try:
        from dss import DSS
    except ModuleNotFoundError as missing:
        if missing.name != "dss":
            raise
        raise MissingPackageError("OpenDSS files", "dss-python") from None
    here = Path.cwd()
    engine = DSS.NewContext()
    changed_directory = engine.AllowChangeDir  # of all engines of this process
    engine.AllowChangeDir = False
    os.chdir(here)  # an engine that may change the directory goes to where the first one began
    engine.AllowForms = False
    engine.AllowEditor = False
    engine.AllowDOScmd = False
    try:
        yield engine
    finally:
        engine.ClearAll()
        engine.AllowChangeDir = changed_directory
        os.chdir(here)


def engine_errors() -> type[Exception]:
    """What the engine raises."""
    from dss import DSSException

    errors: type[Exception] = DSSException
    return errors


def said(problem: Exception) -> tuple[int, str]:
    """The number and the words of an error of the engine, in one line."""
    code, message = (*problem.args, "")[:2]
    return int(code) if str(code).isdigit() else 0, " ".join(str(message or code).split())


class Script:
    """One execution of a script. left_out: what was not executed, a line each."""

    def __init__(
        self, engine: Any, path: Path, hold_controls: bool, begin: Callable[[Path, int, str], None] | None = None
    ) -> None:
        """Execute the file; the working directory is the engine's, and gets links to files of data.

        engine: of `opendss`. hold_controls: whether the solves of the script leave the controls alone. begin: told of each line before it is
        executed: its file, number and words, which are "" where they must not be shown.

        Raises
        ------
        FileError
            If the engine finds an error, a line is not allowed, or a file cannot be read.
        """
        self._engine = engine
        self._hold_controls = hold_controls
        self._begin = begin or (lambda _path, _number, _words: None)
        executive = engine.Executive
        self._commands = [executive.Command(k + 1).lower() for k in range(executive.NumCommands)]
        self._options = [executive.Option(k + 1).lower() for k in range(executive.NumOptions)]
        self._main = path.resolve()
        self._directory = self._main.parent
        self._variables: dict[str, str] = {}
        self._lent = Lent(Path.cwd())
        engine.DataPath = str(Path.cwd())
        self.left_out: list[str] = []
        self._read(self._main, DEEPEST)
        if not engine.NumCircuits:
            raise FileError(str(path), ["there is no circuit in it: a script begins one with New Circuit.name"])

    def _read(self, path: Path, depth: int) -> None:
        self._directory = path.parent
        in_comment = False
        for number, line in enumerate(lines_of(path), start=1):
            if in_comment or line.startswith("/*"):
                in_comment = "*/" not in line
                continue
            self._path, self._number, self._data = path, number, ""
            self._begin(path, number, _short(line) if self._is_shown() else "")
            try:
                self._do(line, depth)
            except StatementError as problem:
                raise self._error(str(problem)) from None
            except engine_errors() as problem:
                code, text = said(problem)
                if self._data:  # of which the engine's words may hold a line
                    text = f"OpenDSS cannot read the contents of {self._data} so"
                text = f"{text} (OpenDSS, error {code})"
                if code not in NOT_CONVERGED:
                    raise self._error(text) from None
                self._leave(text)

    def _is_shown(self) -> bool:
        """Whether a person may be shown words of the file at work: of another's, such as a list of passwords, none."""
        is_script = self._path.suffix.lower() == ".dss" and self._main.parent in self._path.parents
        return self._path == self._main or is_script

    def _error(self, words: str) -> FileError:
        return FileError(str(self._path), [f"line {self._number}: {words if self._is_shown() else UNSHOWN}"])

    def _leave(self, words: str) -> None:
        self.left_out.append(f"{self._path.name}, line {self._number}: {words if self._is_shown() else 'not executed'}")

    def _do(self, line: str, depth: int) -> None:
        start = line.lstrip()
        if not start or start[0] == "!" or start.startswith("//"):
            return
        if self._command(start.split(None, 1)[0]) == "var":
            self._variables = statement.variables_of(self._engine.Parser, line, self._variables)
            return
        given = statement.parameters(self._engine.Parser, line, self._variables)
        if not given:
            return
        (name, word), rest = given[0], given[1:]
        if name:
            self._assign(name, given)
            return
        command = self._command(word)
        if command in allowed.OBJECT_COMMANDS:
            self._edit(command, rest)
        elif command in allowed.MORE_COMMANDS:
            self._more(rest)
        elif command in allowed.WITHOUT_EFFECT or (self._hold_controls and command in CONTROL_COMMANDS):
            self._leave(f"{_short(line)} (not executed)")
        elif command in ("redirect", "compile"):
            self._redirect(rest, command == "compile", depth)
        elif command == "cd":
            self._change_directory(rest, line)
        elif command in ("set", "solve"):
            self._set(command, rest)
        elif command in allowed.COORDINATES:
            self._coordinates(command, rest, line)
        elif command in allowed.COMMANDS:
            self._send(command, [(key, self._value(key, value)) for key, value in rest])
        else:
            raise StatementError(f"{word} is no command that is executed here")

    def _send(self, command: str, given: Sequence[Parameter]) -> None:
        self._engine.Text.Command = statement.written(command, given)

    def _command(self, word: str) -> str:
        """A command spelled out: the engine takes any beginning, and of several the first; "" of none."""
        return allowed.spelled_out(word, self._commands)

    def _assign(self, name: str, given: Sequence[Parameter]) -> None:
        """property=value of the active object, or class.name.property=value."""
        whole, _, key = name.rpartition(".")
        first = (key, given[0][1])
        if whole:
            self._edit("edit", [("", whole), first, *given[1:]])
        else:
            self._more([first, *given[1:]])

    def _edit(self, command: str, given: Sequence[Parameter]) -> None:
        if not given or (given[0][0] and not "object".startswith(given[0][0].lower())):
            raise StatementError(f"{command} needs an object first: class.name")
        whole = given[0][1]
        kind, dot, name = whole.partition(".")
        if not dot:
            kind, name = str(self._engine.ActiveClass.ActiveClassName), whole
        properties = self._properties("vsource" if kind.lower() == "circuit" else kind, whole, given[1:])
        self._send(command, [("", f"{kind}.{name}"), *properties])

    def _more(self, given: Sequence[Parameter]) -> None:
        if self._engine.NumCircuits:
            kind = str(self._engine.ActiveClass.ActiveClassName)
            self._send("~", self._properties(kind, f"the active {kind}", given))
        else:
            raise StatementError("there is no object yet to which it could belong")

    def _properties(self, kind: str, whole: str, given: Sequence[Parameter]) -> list[Parameter]:
        """The properties that an object is given, spelled out, without those that would write."""
        if kind.lower() not in allowed.PROPERTIES:
            raise StatementError(f"{kind} is no class of elements that is taken here ({whole})")
        kept = []
        for full, name, value in statement.named(given, allowed.PROPERTIES[kind.lower()]):
            subject = f"{kind}.{full}".lower()
            if not full:
                raise StatementError(
                    f"{whole} has no property {name}" if name else f"{whole}: no property is left for {value}"
                )
            if subject in allowed.REFUSED_PROPERTIES:
                raise StatementError(
                    f"{whole}: {full}={value} is for a user-written model, a program that a script must not start; take it out"
                )
            if subject in allowed.LEFT_OUT_PROPERTIES or not allowed.is_value_allowed(subject, value):
                self._leave(f"{whole}: {full}={value} (not set)")
            else:
                kept.append((full, self._value(full, value)))
        return kept

    def _set(self, command: str, given: Sequence[Parameter]) -> None:
        """Options, and a solve after them; without those that would write."""
        kept = []
        for full, name, value in statement.named(given, self._options):
            if not full:
                raise StatementError(f"{command} has no option {name or value}")
            if full not in allowed.OPTIONS or not allowed.is_value_allowed(full, value):
                self._leave(f"{name or full}={value} (not set)")
            elif not (self._hold_controls and command == "solve" and full == "controlmode"):
                kept.append((full, self._value(full, value)))
        if command == "set":
            if kept:
                self._send(command, kept)
            return
        solution = self._engine.ActiveCircuit.Solution
        before = solution.ControlMode
        if self._hold_controls:
            solution.ControlMode = -1
        try:
            self._send(command, kept)
        finally:
            if self._hold_controls:
                solution.ControlMode = before

    def _value(self, key: str, value: str) -> str:
        """A value with the files that it names under names of ours."""
        if key.lower() in allowed.FILE_PROPERTIES:
            return self._data_file(value)
        found = statement.named_file(value)
        if found is None:
            return value
        kind, name, rest = found
        return f"{kind}={self._data_file(name)} {rest}"

    def _data_file(self, name: str) -> str:
        found = existing(self._directory, name)
        if found is None:
            raise StatementError(f"the file {name} is not there, looked for in {self._directory}")
        self._data = found.name
        return self._lent.name(found)

    def _coordinates(self, command: str, given: Sequence[Parameter], line: str) -> None:
        """Coordinates, which have no effect on a snapshot: it goes on without a file that is not there."""
        found = existing(self._directory, given[0][1]) if given else None
        if found is None:
            self._leave(f"{_short(line)} (there is no such file)")
        else:
            self._data = found.name
            self._send(command, [("", self._lent.name(found))])

    def _change_directory(self, given: Sequence[Parameter], line: str) -> None:
        directory = self._directory / portable(given[0][1] if given else "")
        if directory.is_dir():
            self._directory = directory
        else:
            self._leave(f"{_short(line)} (there is no such directory)")

    def _redirect(self, given: Sequence[Parameter], is_compile: bool, depth: int) -> None:
        name = given[0][1] if given else ""
        if not name:
            return
        found = existing(self._directory, name)
        if found is None:
            raise StatementError(f"the file {name} is not there, looked for in {self._directory}")
        if not depth:
            raise StatementError(f"files that redirect to one another more than {DEEPEST} deep")
        before = self._directory
        self._read(found, depth - 1)
        self._directory = found.parent if is_compile else before


def _short(line: str) -> str:
    text = " ".join(line.split())
    return text if len(text) <= 60 else text[:57] + "..."
