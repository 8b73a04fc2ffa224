"""What a sweep varies: `--vary KEY=VALUES` read, and the grid of all points, each checked before anything runs.

A key is one of the scenario, or `break.` and a link class: the probability that a crossing of it is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from heptagrid.assembly.arms import LINK_CLASSES
from heptagrid.foundation.errors import ScenarioError, UsageError
from heptagrid.foundation.input_files import UnreadableError, toml_of
from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.report.words import plain
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import RunParameters, Scenario
from heptagrid.scenario.towns import kind_of

BREAK = "break."
MOST_VALUES = 1000  # of one key; more is a slip of the pen
MOST_POINTS = 10_000
OF_THE_SMART_GRID = ("access", "backhaul")
"""Link classes that the conventional arm has not."""
RESOLVED_STEPS = 10  # a latency shorter than this is not resolved by the coupling
EXAMPLE = "messages.access.loss=0:1:0.25, break.access=0:1:0.25 or vehicles.share=0.1,0.4"


@dataclass(frozen=True)
class Variation:
    """One varied key and its values, as TOML reads them."""

    key: str
    values: tuple[Any, ...]

    @property
    def is_number(self) -> bool:
        """Whether the values have an order and a distance."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)


@dataclass(frozen=True)
class Point:
    """One combination of values: the scenario that it makes, and the links that it breaks."""

    at: Mapping[str, Any]
    scenario: Scenario
    broken: Mapping[str, float]

    @property
    def label(self) -> str:
        return ", ".join(f"{key}={plain(value)}" for key, value in self.at.items())


def read_variations(texts: Sequence[str]) -> list[Variation]:
    """Read every `KEY=a:b:c` or `KEY=v1,v2,...`.

    Raises
    ------
    UsageError
        Naming the first that cannot be understood.
    """
    if not texts:
        raise UsageError(f"nothing is varied; add --vary KEY=VALUES, such as {EXAMPLE}")
    variations: list[Variation] = []
    for text in texts:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not equals or "." not in key:
            raise UsageError(f"--vary {text}: write section.key=values, such as {EXAMPLE}")
        if key in (one.key for one in variations):
            raise UsageError(f"--vary {key}: it is varied twice; give all its values in one --vary")
        variations.append(Variation(key, _values(key, values)))
    count = 1
    for one in variations:
        count *= len(one.values)
    if count > MOST_POINTS:
        raise UsageError(f"{count} points: at most {MOST_POINTS} are swept; vary fewer keys or take larger steps")
    return variations


def _values(key: str, text: str) -> tuple[Any, ...]:
    if not text:
        raise UsageError(f"--vary {key}=: no value is given; write {key}=first:last:step or {key}=one,another")
    parts = text.split(":")
    if len(parts) == 2 and all(_is_number(part) for part in parts):
        raise UsageError(
            f"--vary {key}={text}: a range needs a step; write {key}=first:last:step, such as {text}:{_tenth(*parts)}"
        )
    values = _range(key, text, parts) if len(parts) == 3 and '"' not in text else _list(text)
    if not values:
        raise UsageError(f"--vary {key}={text}: no value is given; write {key}=first:last:step or {key}=one,another")
    twice = next((value for k, value in enumerate(values) if value in values[:k]), None)
    if twice is not None:
        raise UsageError(f"--vary {key}={text}: {plain(twice)} stands there twice; name each value once")
    return values


def _is_number(text: str) -> bool:
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


def _tenth(first: str, last: str) -> str:
    """A step that makes ten of a range, as an example."""
    step = (Decimal(last.strip()) - Decimal(first.strip())) / 10
    return f"{float(step or 1):g}"


def _range(key: str, text: str, parts: Sequence[str]) -> tuple[int | float, ...]:
    """first:last:step in decimal arithmetic, so that the last belongs to it if it falls on it."""
    try:
        first, last, step = (Decimal(part.strip()) for part in parts)
    except InvalidOperation:
        raise UsageError(f"--vary {key}={text}: first:last:step must be three numbers, such as {key}=0:1:0.1") from None
    if not all(one.is_finite() for one in (first, last, step)):
        raise UsageError(f"--vary {key}={text}: first:last:step must be finite numbers")
    if step == 0:
        raise UsageError(f"--vary {key}={text}: the step is zero; give the distance between two values")
    if (last - first) * step < 0:
        raise UsageError(f"--vary {key}={text}: a step of {step} never leads from {first} to {last}; turn its sign")
    count = int((last - first) / step) + 1
    if count > MOST_VALUES:
        raise UsageError(
            f"--vary {key}={text}: {count} values are too many (at most {MOST_VALUES}); take a larger step"
        )
    whole = all(one == one.to_integral_value() for one in (first, step))
    return tuple(int(one) if whole else float(one) for one in (first + k * step for k in range(count)))


def _list(text: str) -> tuple[Any, ...]:
    """Values parted by commas; what is no TOML value is taken as a text."""
    try:
        return tuple(toml_of(f"values = [{text}]")["values"])
    except UnreadableError:
        return tuple(_value(part.strip()) for part in text.split(",") if part.strip())


def _value(text: str) -> Any:
    try:
        return toml_of(f"value = {text}")["value"]
    except UnreadableError:
        return text


def declaration_of(key: str, scenario: Scenario) -> Declaration | None:
    """What is known of a varied key; None if there is no such key."""
    if key.startswith(BREAK):
        info = f"probability that a message is lost on a link of the class {key.removeprefix(BREAK)}"
        return Declaration(info, "", 0.0, 1.0, None, "assumption: what if")
    section, _, name = key.rpartition(".")
    kind = RunParameters if section == "run" else kind_of(section, scenario.sections)
    if kind is None:
        return None
    return next((one for known, _, _, one in declarations(kind) if known == name), None)


def is_latency(key: str, declaration: Declaration | None) -> bool:
    """Whether a key is a time that messages take on their way."""
    name = key.rpartition(".")[2]
    return declaration is not None and declaration.unit == "s" and ("delay" in name or "latency" in name)


def unresolved(point: Point) -> list[str]:
    """The varied latencies that are not zero and shorter than ten coupling steps at this point."""
    scenario = point.scenario
    return [
        key
        for key, value in point.at.items()
        if is_latency(key, declaration_of(key, scenario)) and 0.0 < value < RESOLVED_STEPS * scenario.step_s
    ]


def points_of(scenario: Scenario, variations: Sequence[Variation]) -> list[Point]:
    """All combinations of the values, in the order in which they were given, each checked as a file would be.

    Raises
    ------
    ScenarioError
        Listing everything that is wrong with any point, and at which.
    """
    wrong: dict[str, list[str]] = {}
    points = []
    for values in product(*(one.values for one in variations)):
        at = dict(zip((one.key for one in variations), values, strict=True))
        broken = {key.removeprefix(BREAK): value for key, value in at.items() if key.startswith(BREAK)}
        settings = [f"{key}={_toml(value)}" for key, value in at.items() if not key.startswith(BREAK)]
        violations = _break_violations(broken)
        try:
            point = Point(
                at, revised(scenario, settings), {name: loss for name, loss in broken.items() if not violations}
            )
        except ScenarioError as problem:
            violations += problem.violations
        if violations:
            label = ", ".join(f"{key}={plain(value)}" for key, value in at.items())
            for one in violations:
                wrong.setdefault(one, []).append(label)
        else:
            points.append(point)
    if wrong:
        raise ScenarioError(scenario.name, [f"{what} [at {_some(where)}]" for what, where in wrong.items()])
    return points


def silenced(point: Point, key: str) -> Point | None:
    """The same point without messages, where `key` says a technology; None for any other key.

    All links of that class are dead, and all that the smart grid alone has: no message reaches or leaves a home or a substation.
    """
    section, _, name = key.removeprefix("messages.").partition(".")
    if not key.startswith("messages.") or section not in LINK_CLASSES or name != "technology":
        return None
    return replace(point, broken={**point.broken, **dict.fromkeys((*OF_THE_SMART_GRID, section), 1.0)})


def _break_violations(broken: Mapping[str, Any]) -> list[str]:
    violations = []
    for name, loss in broken.items():
        if name not in LINK_CLASSES:
            violations.append(f"{BREAK}{name}: there is no such link class; the classes are {', '.join(LINK_CLASSES)}")
        elif isinstance(loss, bool) or not isinstance(loss, int | float) or not 0.0 <= loss <= 1.0:
            violations.append(f"{BREAK}{name} = {loss!r}: a loss is a probability from 0 to 1")
    return violations


def _some(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - 1} more points" if len(labels) > 2 else f" and {labels[1]}" if len(labels) == 2 else ""
    return labels[0] + more


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, bool):
        return plain(value)
    return repr(value) if isinstance(value, int | float) else json.dumps(str(value))


def as_json(value: Any) -> Any:
    """A value as JSON content."""
    return value.isoformat() if isinstance(value, date) else value


def refuse_clashes(variations: Iterable[Variation], settings: Sequence[str], options: Mapping[str, Any]) -> None:
    """A key is varied or fixed, not both; seeds have an option of their own.

    Raises
    ------
    UsageError
    """
    fixed = {setting.partition("=")[0].strip(): "--set" for setting in settings}
    fixed |= {f"run.{name}": "an option of its own" for name, value in options.items() if value is not None}
    for one in variations:
        if one.key == "run.seed":
            raise UsageError("--vary run.seed: every point uses the same seeds; write --seeds N for more of them")
        if one.key in fixed:
            raise UsageError(f"--vary {one.key}: {fixed[one.key]} sets it too; leave one of the two out")
