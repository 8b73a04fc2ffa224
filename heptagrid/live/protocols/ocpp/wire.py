"""OCPP-J frames: text to calls and answers and back, with the codes of errors that each version of the standard spells.

Source: OCPP-J 1.6 (2015) section 4 with its errata 5.1 and 5.2; OCPP 2.0.1 part 4 section 4. Payloads are checked against the schemas that the package `ocpp`
carries. Its own answers are not used: it takes NotSupported and NotImplemented for each other, and its FormatViolation is called FormationViolation in 1.6.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from heptagrid.live.protocols.ocpp.validity import Fits, UnknownKeywordError, compiled

Version = Literal["1.6", "2.0.1"]
SUBPROTOCOLS: dict[str, Version] = {"ocpp2.0.1": "2.0.1", "ocpp1.6": "1.6"}
"""Of WebSocket, in the order in which we prefer them."""

LONGEST_BYTES = 256 * 1024
"""Frames above this are refused: assumption, a report of a whole device model takes some tens of kilobytes."""
_LONGEST_ID = 36  # of a message, in both versions

CALL, RESULT, ERROR = 2, 3, 4


@dataclass(frozen=True)
class Call:
    """A request. id: of the message."""

    id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What answers a call."""

    id: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """What answers a call that could not be done: a CALLERROR."""

    id: str
    code: str
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


Frame = Call | Result | Refusal


class CallProblem(Exception):
    """A call that gets a CALLERROR. kind: what is wrong, one of `_CODES`, spelled by version in `code`. id: of the message, "-1" if it has none."""

    def __init__(self, kind: str, description: str, id: str = "-1") -> None:
        super().__init__(description)
        self.kind, self.description, self.id = kind, description, id

    def refusal(self, version: Version, id: str | None = None) -> Refusal:
        """The CALLERROR that says so."""
        return Refusal(self.id if id is None else id, _CODES[self.kind][version == "2.0.1"], self.description[:255])


_CODES = {
    "syntax": ("FormationViolation", "FormatViolation"),
    "framework": ("ProtocolError", "RpcFrameworkError"),
    "message type": ("ProtocolError", "MessageTypeNotSupported"),
    "missing": ("OccurenceConstraintViolation", "OccurenceConstraintViolation"),
    "value": ("PropertyConstraintViolation", "PropertyConstraintViolation"),
    "type": ("TypeConstraintViolation", "TypeConstraintViolation"),
    "unknown action": ("NotImplemented", "NotImplemented"),
    "unsupported action": ("NotSupported", "NotSupported"),
    "security": ("SecurityError", "SecurityError"),
    "internal": ("InternalError", "InternalError"),
}
_KINDS = {
    "required": "missing",
    "minItems": "missing",
    "maxItems": "missing",
    "type": "type",
    "additionalProperties": "syntax",
}
_WITH_DECIMALS = {"SetChargingProfile", "RemoteStartTransaction", "GetCompositeScheduleResponse"}  # multiples of 0.1


def encoded(frame: Frame) -> str:
    """A frame as text."""
    match frame:
        case Call(id, action, payload):
            content: list[Any] = [CALL, id, action, payload]
        case Result(id, payload):
            content = [RESULT, id, payload]
        case Refusal(id, code, description, details):
            content = [ERROR, id, code, description, details]
    return json.dumps(content, separators=(",", ":"))


def decoded(text: str | bytes, lenient: bool) -> tuple[Frame, bool]:
    """A frame from text, and whether the text had to be mended first, which only happens if `lenient`.

    Raises
    ------
    CallProblem
        With the message's id where it can be read.
    """
    if len(text) > LONGEST_BYTES:
        raise CallProblem("framework", f"a frame of {len(text)} bytes; at most {LONGEST_BYTES} are taken")
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            raise CallProblem("framework", "a frame must be text in UTF-8") from None
    mended = False
    try:
        content = _loaded(text)
    except (ValueError, RecursionError):
        if not lenient:
            raise CallProblem("syntax", "this is not JSON", _id_in(text)) from None
        mended = True
        try:
            content = _without_nothing(_loaded(_mended(text)))
        except (ValueError, RecursionError):
            raise CallProblem("syntax", "this is not JSON, and cannot be mended", _id_in(text)) from None
    return _frame_of(content, lenient), mended


def _loaded(text: str) -> Any:
    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def _frame_of(content: Any, lenient: bool) -> Frame:
    if not isinstance(content, list) or len(content) < 3:
        raise CallProblem("framework", "a frame is a list of a type, an id and what follows")
    kind, id, *rest = content
    if lenient and isinstance(id, int) and not isinstance(id, bool):
        id = str(id)
    if not isinstance(id, str) or not 0 < len(id) <= _LONGEST_ID:
        raise CallProblem("framework", f"a message's id is a text of 1 to {_LONGEST_ID} characters")
    if lenient and kind == CALL and len(rest) == 1:
        rest.append({})
    if kind == CALL and len(rest) == 2 and isinstance(rest[0], str) and isinstance(rest[1], dict):
        return Call(id, rest[0], rest[1])
    if kind == RESULT and len(rest) == 1 and isinstance(rest[0], dict):
        return Result(id, rest[0])
    if kind == ERROR and isinstance(rest[0], str) and (lenient or len(rest) == 3):
        description, details = (*rest[1:], "", {})[:2] if len(rest) < 3 else rest[1:3]
        return Refusal(id, rest[0], str(description), details if isinstance(details, dict) else {})
    if kind in (CALL, RESULT, ERROR):
        raise CallProblem("framework", "the frame's parts are not those of its type", id)
    raise CallProblem("message type", f"there is no type of message {kind!r:.20}", id)


_ID = re.compile(r'^\s*\[\s*[0-9]+\s*,\s*"([^"\\]{1,36})"')


def _id_in(text: str) -> str:
    """The id of a message whose rest cannot be read."""
    found = _ID.match(text[:200])
    return found[1] if found else "-1"


_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[^"]+', re.DOTALL)
_EMPTY_VALUE = re.compile(r":(\s*)(?=[,}\]]|$)")
_DOUBLE_COMMA = re.compile(r"([\[{,])\s*,+")
_LAST_COMMA = re.compile(r",(\s*[\]}])")


def _mended(text: str) -> str:
    """Text in which values that a charger left out are null, and commas that part nothing are gone; what stands in quotes stays as it is."""
    found = []
    parts = _PARTS.findall(text.replace("\x00", ""))
    for k, part in enumerate(parts):
        if part.startswith('"') and len(part) > 1:
            found.append(re.sub(r"[\x00-\x1f]", "", part))
            continue
        after = parts[k + 1] if k + 1 < len(parts) else ""
        ended = part + ("\x01" if after else "")  # a colon before a text is no empty value
        for pattern, instead in ((_EMPTY_VALUE, r":null\1"), (_DOUBLE_COMMA, r"\1"), (_LAST_COMMA, r"\1")):
            ended = pattern.sub(instead, ended)
        found.append(ended.replace("\x01", ""))
    return "".join(found)


def _without_nothing(content: Any) -> Any:
    """The same without members that are null."""
    if isinstance(content, dict):
        return {key: _without_nothing(one) for key, one in content.items() if one is not None}
    if isinstance(content, list):
        return [_without_nothing(one) for one in content if one is not None]
    return content


@cache
def actions(version: Version) -> frozenset[str]:
    """The requests that a version of the standard knows."""
    from ocpp.v16.enums import Action as Of16
    from ocpp.v201.enums import Action as Of201

    return frozenset(one.value for one in (Of16 if version == "1.6" else Of201))


@cache
def _validator(version: Version, action: str, is_answer: bool) -> Any:
    from ocpp.messages import get_validator

    name = f"{action}Response" if is_answer else action
    parse = Decimal if version == "1.6" and name in _WITH_DECIMALS else float
    return get_validator(RESULT if is_answer else CALL, action, version, parse_float=parse)


@cache
def _fits(version: Version, action: str, is_answer: bool) -> Fits:
    validator = _validator(version, action, is_answer)
    try:
        return compiled(validator.schema)
    except UnknownKeywordError:
        is_valid: Fits = validator.is_valid
        return is_valid


def check(version: Version, action: str, payload: dict[str, Any], *, is_answer: bool = False) -> None:
    """Check a payload against the schema of its action.

    Raises
    ------
    CallProblem
        With the first violation; for an action that the version does not know, without a schema.
    """
    if action not in actions(version):
        raise CallProblem("unknown action", f"{action[:50]!r} is no action of OCPP {version}")
    name = f"{action}Response" if is_answer else action
    if version == "1.6" and name in _WITH_DECIMALS:
        payload = json.loads(json.dumps(payload), parse_float=Decimal)
    if _fits(version, action, is_answer)(payload):
        return
    problem = next(iter(_validator(version, action, is_answer).iter_errors(payload)), None)
    if problem is not None:
        where = ".".join(str(one) for one in problem.absolute_path)
        said = f"{where}: {problem.message}" if where else problem.message
        raise CallProblem(_KINDS.get(problem.validator, "value"), said)
