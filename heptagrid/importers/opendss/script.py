"""Executes an OpenDSS script line by line in an engine of its own, which opens no window and writes no file.

Lines go to the engine as they stand; files that a line redirects to are read here, so that an error can name its file and line. What
would print, plot, export or save is left out, and so is whatever reaches outside the circuit. A script may solve: its solves are executed, with
the controls at work or held.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import FileError
from heptagrid.importers.importer import MissingPackageError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What only shows or writes something, or belongs to an interactive or parallel session.
OUTPUT_COMMANDS = _words(
    "show plot visualize export save dump fileedit formedit panel about help quit doscmd di_plot comparecases yearlycurves "
    "closedi alignfile cvrtloadshapes obfuscate exportoverloads exportvviolations _showcontrolqueue vdiff top connect "
    "disconnect newactor wait solveall abort clone tear_circuit aggregateprofiles comhelp summary uuids"
)
# Options that make later solves write files, that say where to, or that spread the work over several engines.
OUTPUT_OPTIONS = _words(
    "editor datapath demandinterval diverbose casename log recorder overloadreport voltexceptionreport showexport querylog "
    "registryupdate dssvisualizationtool showreports numcpus numcores numactors activeactor cpu actorprogress parallel "
    "concatenatereports numanodes adiakoptics linkbranches num_subcircuits"
)
CONTROL_COMMANDS = frozenset(("_samplecontrols", "_docontrolactions"))
# Matched without the engine's parser, since nearly all lines begin with one of them.
PLAIN_COMMANDS = frozenset(("new", "edit", "~", "more", "m"))
NOT_CONVERGED = frozenset((482, 483, 485))  # the engine goes on after these, and so do we
DEEPEST = 50
VARIABLE = re.compile(r"(?<![\w.])@\w+")
SAVING = re.compile(r"(?i)\baction\s*=\s*(dbl|sng)save")
NAMED_FILE = re.compile(r"""(?i)\b(\w*file\s*=\s*)"?'?([^\s"',()\[\]{}]+)""")


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

    def __init__(self, engine: Any, path: Path, hold_controls: bool) -> None:
        """Execute the file.

        engine: of `opendss`. hold_controls: whether the solves of the script leave the controls alone.

        Raises
        ------
        FileError
            If the engine finds an error, or a file cannot be read.
        """
        self._engine = engine
        self._hold_controls = hold_controls
        self._names = [engine.Executive.Command(k + 1).lower() for k in range(engine.Executive.NumCommands)]
        self._directory = path.resolve().parent
        self.left_out: list[str] = []
        self._read(path.resolve(), DEEPEST)
        if not engine.NumCircuits:
            raise FileError(str(path), ["there is no circuit in it: a script begins one with New Circuit.name"])

    def _read(self, path: Path, depth: int) -> None:
        self._enter(path.parent)
        in_comment = False
        for number, line in enumerate(_lines(path), start=1):
            if in_comment or line.startswith("/*"):
                in_comment = "*/" not in line
                continue
            try:
                self._do(line, path, number, depth)
            except engine_errors() as problem:
                code, text = said(problem)
                if code in NOT_CONVERGED:
                    self.left_out.append(f"{path.name}, line {number}: {text}")
                    continue
                raise FileError(str(path), [f"line {number}: {text} (OpenDSS, error {code})"]) from None

    def _enter(self, directory: Path) -> None:
        """Make paths in later lines relative to a directory."""
        self._directory = directory
        self._engine.DataPath = str(directory)

    def _do(self, line: str, path: Path, number: int, depth: int) -> None:
        first = line.split(None, 1)[0].lower() if line.strip() else ""
        if not first or first[0] == "!" or first.startswith("//"):
            return
        command = first if first in PLAIN_COMMANDS else self._command(line)
        if command in OUTPUT_COMMANDS or (self._hold_controls and command in CONTROL_COMMANDS):
            self.left_out.append(f"{path.name}, line {number}: {_short(line)} (not executed)")
        elif command in ("redirect", "compile"):
            self._redirect(line, command == "compile", path, number, depth)
        elif command == "cd":
            directory = self._directory / _portable(self._parameters(line)[0][1])
            if directory.is_dir():
                self._enter(directory)
            else:
                self.left_out.append(f"{path.name}, line {number}: {_short(line)} (there is no such directory)")
        elif command in ("set", "solve"):
            self._set(line, command, path, number)
        elif command in ("buscoords", "latlongcoords"):
            self._coordinates(line, command, path, number)
        else:
            self._engine.Text.Command = NAMED_FILE.sub(self._as_it_is_called, SAVING.sub("", line))

    def _redirect(self, line: str, is_compile: bool, path: Path, number: int, depth: int) -> None:
        parameters = self._parameters(line)
        name = parameters[0][1] if parameters else ""
        if not name:
            return
        found = _existing(self._directory, name)
        if found is None:
            raise FileError(
                str(path), [f"line {number}: the file {name} is not there, looked for in {self._directory}"]
            )
        if not depth:
            raise FileError(str(path), [f"line {number}: files that redirect to one another more than {DEEPEST} deep"])
        before = self._directory
        self._read(found, depth - 1)
        self._enter(found.parent if is_compile else before)

    def _coordinates(self, line: str, command: str, path: Path, number: int) -> None:
        """Coordinates, which have no effect on a snapshot: it goes on without a file that is not there."""
        parameters = self._parameters(line)
        found = _existing(self._directory, parameters[0][1]) if parameters else None
        if found is None:
            self.left_out.append(f"{path.name}, line {number}: {_short(line)} (there is no such file)")
        else:
            self._engine.Text.Command = f'{command} "{found}"'

    def _as_it_is_called(self, named: re.Match[str]) -> str:
        """The name of a file with the case of letters that it has."""
        key, name = named.groups()
        if (self._directory / _portable(name)).is_file():
            return named.group()
        found = _existing(self._directory, name)
        return named.group() if found is None else f"{key}{found}"

    def _set(self, line: str, command: str, path: Path, number: int) -> None:
        """Options, and a solve after them; without those that would write."""
        options = self._parameters(line)
        kept = []
        for name, value in options:
            full = self._option(name)
            if full in OUTPUT_OPTIONS or (full == "mode" and value.lower().startswith("au")):
                self.left_out.append(f"{path.name}, line {number}: {name}={value} (not set)")
            elif not (self._hold_controls and command == "solve" and full == "controlmode"):
                kept.append((name, value))
        text = line
        if len(kept) < len(options):
            text = f"{command} " + " ".join(f"{name}=({value})" if name else f"({value})" for name, value in kept)
            if command == "set" and not kept:
                return
        if command == "solve" and self._hold_controls:
            solution = self._engine.ActiveCircuit.Solution
            before = solution.ControlMode
            solution.ControlMode = -1
            try:
                self._engine.Text.Command = text
            finally:
                solution.ControlMode = before
        else:
            self._engine.Text.Command = text

    def _command(self, line: str) -> str:
        """The command of a line, spelled out: the engine takes any beginning, and of several the first; "" of none."""
        parser = self._engine.Parser
        parser.CmdString = line
        if parser.NextParam:
            return ""  # property=value
        word = str(parser.StrValue).lower()
        if word in self._names:
            return word
        return next((name for name in self._names if name.startswith(word)), "")

    def _option(self, name: str) -> str:
        """An option of Set, spelled out."""
        if not name:
            return ""
        options = [self._engine.Executive.Option(k + 1).lower() for k in range(self._engine.Executive.NumOptions)]
        word = name.lower()
        return word if word in options else next((one for one in options if one.startswith(word)), word)

    def _value(self, variable: re.Match[str]) -> str:
        """What a script's variable stands for; this parser of the engine knows of none, and breaks where it meets one."""
        self._engine.Text.Command = f"var {variable.group()}"
        return str(self._engine.Text.Result).lstrip("@")

    def _parameters(self, line: str) -> list[tuple[str, str]]:
        """The names and values after the command."""
        parser = self._engine.Parser
        parser.CmdString = VARIABLE.sub(self._value, line)
        _ = parser.NextParam  # the command itself
        found: list[tuple[str, str]] = []
        while True:
            name = parser.NextParam
            value = parser.StrValue
            if not value:
                return found
            found.append((name, value))


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise FileError(str(path), [f"cannot be read: {problem.strerror}"]) from None
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig").splitlines()
    return data.decode("latin-1").splitlines()


def _portable(name: str) -> Path:
    return Path(name.replace("\\", "/"))


def _existing(directory: Path, name: str) -> Path | None:
    """The file that a script means: with any case of its letters, as on the systems that scripts are written on."""
    for candidate in (name, f"{name}.dss"):
        path = directory
        for part in _portable(candidate).parts:
            following = path / part
            if not following.exists() and path.is_dir():
                following = next((one for one in path.iterdir() if one.name.lower() == part.lower()), following)
            path = following
        if path.is_file():
            return path.resolve()
    return None


def _short(line: str) -> str:
    text = " ".join(line.split())
    return text if len(text) <= 60 else text[:57] + "..."
