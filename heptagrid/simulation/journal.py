"""The journal of what entered a simulation from outside: enough to run it again, to the same last bit, without the outside.

One line of JSON an entry, in the order in which they were taken: lengths of steps from an instant on, messages with their wave's arrays and their
payload as bytes, and changes. A line that was cut off by a kill is the last and is left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.live_span import RecordedLengths
from heptagrid.contracts.codec import decode_all, encode_all
from heptagrid.contracts.policy import declared
from heptagrid.foundation.contract import Contract, Wave, columns
from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.time import Step
from heptagrid.simulation.changes import applied, prepared
from heptagrid.simulation.outside import Outside
from heptagrid.simulation.simulation import Simulation

Ints = npt.NDArray[np.int64]

JOURNAL = "journal.jsonl"
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LENGTH: dict[str, Any] = {"from_ns": int, "step_s": int}
_MESSAGE: dict[str, Any] = {
    "step": int,
    "contract": list,
    "payload": str,
    "source": list,
    "destination": list,
    "at_ns": int,
    "size_bytes": int | None,
}
_CHANGE: dict[str, Any] = {"step": int, "what": str, "given": dict, "by": str}


@dataclass(frozen=True)
class Entry:
    """A change of the grid by somebody outside. what: a name of `changes`; by: who made it; given: its fields, as JSON."""

    what: str
    given: dict[str, Any] = field(default_factory=dict)
    by: str = ""


class Journal:
    """Writes a journal; without a file it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = None
        if path is not None:
            try:
                self._file = path.open("w", encoding="utf-8")
            except OSError as problem:
                raise OutputError(f"the journal {path} cannot be written: {problem.strerror}") from problem

    def length(self, from_ns: int, step_s: int) -> None:
        """Steps are so long from an instant on."""
        self._write({"from_ns": from_ns, "step_s": step_s})

    def message(self, step: int, wave: Wave) -> None:
        """A wave, all of which leaves at one instant, was sent in a step."""
        if self._file is None:
            return
        self._write(
            {
                "step": step,
                "contract": _named(wave.contract),
                "payload": base64.b64encode(encode_all(wave.contract, wave.payload, len(wave.source))).decode(),
                "source": wave.source.tolist(),
                "destination": wave.destination.tolist(),
                "at_ns": int(wave.sent_ns[0]),
                "size_bytes": wave.size,
            }
        )

    def note(self, step: int, entry: Entry) -> None:
        """A change was made before a step."""
        self._write({"step": step, "what": entry.what, "given": entry.given, "by": entry.by})

    def _write(self, content: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(content) + "\n")

    def flush(self) -> None:
        """Bring to the disk what is there."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Nothing more is written."""
        if self._file is not None:
            self._file.close()


class Recorded(Outside):
    """What entered once, entering again.

    lengths: of the steps.
    """

    def __init__(self, path: Path) -> None:
        """Read a journal.

        Raises
        ------
        OutputError
            If it cannot be read, or another version of heptagrid has written it in another form.
        """
        self._contracts = {str(_named(one)): one for one in declared()}
        changes: list[tuple[int, int]] = []
        by_step: dict[int, list[dict[str, Any]]] = {}
        for number, one in enumerate(_lines(path), 1):
            if wrong := self._wrong(one):
                raise OutputError(
                    f"{path}, line {number}: {wrong}; replay it with the version of heptagrid that wrote it, or serve anew"
                )
            if "from_ns" in one:
                changes.append((one["from_ns"], one["step_s"]))
            else:
                by_step.setdefault(one["step"], []).append(one)
        self.lengths = RecordedLengths(tuple(changes))
        self._by_step = by_step

    def _wrong(self, entry: Any) -> str:
        """What makes an entry none that this version can take; empty if it is one."""
        if not any(_is_of(entry, form) for form in (_LENGTH, _MESSAGE, _CHANGE)):
            return "this entry has not the form that this version of heptagrid reads"
        if "contract" in entry and str(entry["contract"]) not in self._contracts:
            return f"this version of heptagrid has no contract {entry['contract']}"
        if "contract" in entry and not _BASE64.fullmatch(entry["payload"]):
            return "its payload is not written in base 64"
        return ""

    def prepare(self, simulation: Simulation, step: Step) -> None:
        """Make the changes that were made before the step."""
        for one in self._by_step.get(step.index, ()):
            if "what" in one:
                applied(simulation, step, one["what"], one["given"])
        prepared(simulation, step)

    def meet(self, simulation: Simulation, step: Step) -> None:
        """Send what was sent in the step."""
        for one in self._by_step.get(step.index, ()):
            if "contract" in one:
                contract = self._contracts[str(one["contract"])]
                payloads = decode_all(contract, base64.b64decode(one["payload"]), len(one["source"]))
                payload = _joined(contract, payloads)
                source, destination = (np.array(one[name], dtype=np.int64) for name in ("source", "destination"))
                simulation.grid.transport.send_from_outside(
                    contract.wave(payload, source, destination, one["at_ns"], size=one["size_bytes"])
                )


def entered(path: Path) -> dict[str, Any]:
    """What a journal comes to: the shortest and the longest step, messages and changes from outside."""
    lengths, messages, changes = set(), 0, 0
    for one in _lines(path):
        if "from_ns" in one:
            lengths.add(one["step_s"])
        elif "contract" in one:
            messages += len(one["source"])
        else:
            changes += 1
    return {
        "shortest_step_s": min(lengths, default=None),
        "longest_step_s": max(lengths, default=None),
        "messages": messages,
        "changes": changes,
    }


def _named(contract: Contract[Any]) -> list[Any]:
    """How an entry names a contract: kind, topic, sender and receiver."""
    kind, topic, sender, receiver = contract.key
    return [int(kind), topic, int(sender), int(receiver)]


def _is_of(entry: Any, form: Mapping[str, Any]) -> bool:
    """Whether an entry has the fields of a form, each of its type."""
    return (
        isinstance(entry, dict)
        and entry.keys() == form.keys()
        and all(isinstance(entry[name], kind) for name, kind in form.items())
    )


def _joined(contract: Contract[Any], payloads: list[Any]) -> Any:
    """The payload of a wave from those of its messages."""
    first = payloads[0]
    if len(payloads) == 1:
        return first
    found = {one.name: getattr(first, one.name) for one in fields(first)}
    for name, column in columns(contract.payload):
        if not column.is_shared:
            found[name] = np.concatenate([getattr(one, name) for one in payloads])
    return type(first)(**found)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise OutputError(f"the journal {path} cannot be read: {problem.strerror}") from problem
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError as problem:
            if number < len(lines) or text.endswith("\n"):
                raise OutputError(f"{path}, line {number}: this is no entry of a journal") from problem
