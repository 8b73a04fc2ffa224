"""One connection as a dialogue of calls and answers, without its socket: what a text that came in is answered with, and what it answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from heptagrid.live.protocols.ocpp.wire import (
    Call,
    CallProblem,
    Refusal,
    Result,
    Version,
    check,
    decoded,
    encoded,
)

Handle = Callable[[str, dict[str, Any]], dict[str, Any] | None]
Settle = Callable[[dict[str, Any] | None, str], None]
"""Told what answered a call: its payload, or None and why there is none."""


@dataclass
class _Asked:
    id: str
    action: str
    settle: Settle


class Dialogue:
    """Calls in are checked and handled, calls out are matched with their answers.

    handle: does a call; None: it gets no answer. count: told each thing that is wrong, by words. lenient: whether what can be understood is taken although it violates
    the standard; otherwise it is refused. The connection lives either way.
    """

    def __init__(self, version: Version, lenient: bool, handle: Handle, count: Callable[[str], None]) -> None:
        self.version, self.lenient = version, lenient
        self._handle, self._count = handle, count
        self._numbers = itertools.count(1)
        self._asked: _Asked | None = None
        self._last = ("", "")  # the last call that was answered, and the answer

    @property
    def is_asking(self) -> bool:
        """Whether a call out is not answered yet; the standard allows one at a time."""
        return self._asked is not None

    def ask(self, action: str, payload: dict[str, Any], settle: Settle) -> str:
        """The text of a call; `settle` is told what comes of it."""
        id = str(next(self._numbers))
        self._asked = _Asked(id, action, settle)
        return encoded(Call(id, action, payload))

    def give_up(self) -> None:
        """Nobody waits for the last call's answer any more."""
        self._asked = None

    def receive(self, text: str | bytes) -> str | None:
        """What a text is answered with, if it is a call or cannot be understood."""
        try:
            frame, was_mended = decoded(text, self.lenient)
        except CallProblem as problem:
            self._count(f"malformed: {problem.kind}")
            if self._asked is not None and problem.id == self._asked.id:
                self._settle(None, problem.description)
                return None
            return None if _is_answer(text) else encoded(problem.refusal(self.version))
        if was_mended:
            self._count("malformed: mended")
        match frame:
            case Call():
                return self._answer(frame, text)
            case Result(id, payload):
                self._result(id, payload)
            case Refusal(id, code, description):
                if self._asked is None or self._asked.id != id:
                    self._count("malformed: answer to nothing")
                else:
                    self._settle(None, f"{code}: {description}")
        return None

    def _answer(self, call: Call, text: str | bytes) -> str | None:
        key = f"{call.id} {text!r}"
        if self._last[0] == key:  # the same once more, as its answer was lost: it is not done twice
            self._count("malformed: repeated call")
            return self._last[1]
        try:
            payload = self._done(call)
        except CallProblem as problem:
            self._count(f"malformed: {problem.kind}")
            return encoded(problem.refusal(self.version, call.id))
        if payload is None:
            return None
        self._last = (key, encoded(Result(call.id, payload)))
        return self._last[1]

    def _done(self, call: Call) -> dict[str, Any] | None:
        violation: CallProblem | None = None
        try:
            check(self.version, call.action, call.payload)
        except CallProblem as problem:
            if not self.lenient or problem.kind == "unknown action":
                raise
            violation = problem
        try:
            payload = self._handle(call.action, call.payload)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, ArithmeticError, IndexError):
            if violation is None:
                raise CallProblem("value", f"a value of {call.action} cannot be") from None
            raise violation from None
        if violation is not None and payload is not None:
            if not _is_valid_answer(self.version, call.action, payload):  # it repeats what cannot be
                raise violation
            self._count(f"malformed: {violation.kind}, understood")
        return payload

    def _result(self, id: str, payload: dict[str, Any]) -> None:
        asked = self._asked
        if asked is None or asked.id != id:
            self._count("malformed: answer to nothing")
            return
        try:
            check(self.version, asked.action, payload, is_answer=True)
        except CallProblem as problem:
            self._count(f"malformed: {problem.kind}" + (", understood" if self.lenient else ""))
            if not self.lenient:
                self._settle(None, problem.description)
                return
        self._settle(payload, "")

    def _settle(self, payload: dict[str, Any] | None, why: str) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.settle(payload, why)


def _is_valid_answer(version: Version, action: str, payload: dict[str, Any]) -> bool:
    try:
        check(version, action, payload, is_answer=True)
    except CallProblem:
        return False
    return True


def _is_answer(text: str | bytes) -> bool:
    """Whether a text that cannot be understood was to be an answer; those are not answered again."""
    start = text[:20].decode(errors="replace") if isinstance(text, bytes) else text[:20]
    return start.lstrip().lstrip("[").lstrip()[:1] in ("3", "4")
