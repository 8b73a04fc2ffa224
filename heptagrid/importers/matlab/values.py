"""Values of the MATLAB language: numbers, matrices and their parts, arithmetic, text and cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.importers.matlab.tokens import MatlabError, Token, Tokens, TooLargeError

Matrix = npt.NDArray[np.float64]

# Cells, and text, which are carried along and never computed with.
Value = Matrix | str | list[Any]

_PLAIN_MATRIX = re.compile(r"(?:[\s\d.,;eE+\-]++|Inf|inf|NaN|nan)*+")

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "exp", "sqrt", "abs", "isinf", "isnan")},
    **{name: getattr(np, f"arc{name[1:]}") for name in ("asin", "acos", "atan")},
    "log": np.log,
    "any": lambda values: np.any(values != 0),
    "all": lambda values: np.all(values != 0),
    "sum": lambda values: values.sum() if 1 in values.shape else values.sum(axis=0, keepdims=True),
    "max": lambda values, other=None: values.max() if other is None else np.maximum(values, other),
    "min": lambda values, other=None: values.min() if other is None else np.minimum(values, other),
    "find": lambda values: 1.0 + np.flatnonzero(values.ravel(order="F"))[:, np.newaxis],
    "size": lambda values, axis: float(values.shape[int(axis.item()) - 1]),
    "length": lambda values: float(max(values.shape) if values.size else 0),
}
_FILLED = {"zeros": 0.0, "ones": 1.0}

# Far above the largest public cases (some 200,000 buses of 20 columns, brackets four deep).
MOST_ELEMENTS = 10_000_000
MOST_KEPT = 50_000_000
MOST_MADE = 2_000_000_000
MOST_DEPTH = 30
_CONSTANTS = {
    "pi": np.pi,
    "Inf": np.inf,
    "inf": np.inf,
    "NaN": np.nan,
    "nan": np.nan,
    "true": 1.0,
    "false": 0.0,
    "eps": 2.0**-52,
}


class Expressions(Tokens):
    """A text that expressions are read from and evaluated, with the variables that they name."""

    def __init__(self, text: str) -> None:
        self.variables: dict[str, Value] = {}
        self._in_matrix = False
        self._depth = 0
        self._made = 0.0
        super().__init__(text)

    def expression(self) -> Value:
        """The value of the expression that begins with the present token."""
        with self.deeper():
            return self._binary(0)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Within, one level deeper; refused beyond the deepest."""
        self._depth += 1
        try:
            if self._depth > MOST_DEPTH:
                raise TooLargeError(self.line(), f"is nested more than {MOST_DEPTH} deep")
            yield
        finally:
            self._depth -= 1

    def bounded(self, elements: float, at: int | None = None) -> None:
        """Refuse a value of more elements than any case has, before it is made."""
        if not elements <= MOST_ELEMENTS:
            raise TooLargeError(
                self.line(at), f"makes a matrix of {elements:.6g} elements; {MOST_ELEMENTS:,} are the most"
            )
        self._made += elements
        if self._made > MOST_MADE:
            raise TooLargeError(self.line(at), f"computes with more than {MOST_MADE:,} elements so far")

    def keep(self, name: str, value: Value, at: int) -> None:
        """Make a value a variable's, if all variables together are not too large then."""
        if isinstance(value, np.ndarray):
            others = (one for other, one in self.variables.items() if other != name)
            kept = value.size + sum(one.size for one in others if isinstance(one, np.ndarray))
            if kept > MOST_KEPT:
                raise TooLargeError(
                    self.line(at), f"brings the variables to {kept:,} elements; {MOST_KEPT:,} are the most"
                )
        self.variables[name] = value

    _LEVELS: tuple[tuple[str, ...], ...] = (
        ("||",),
        ("&&",),
        ("|",),
        ("&",),
        ("<", "<=", ">", ">=", "==", "~=", "!="),
        (":",),
        ("+", "-"),
        ("*", "/", ".*", "./"),
    )

    def _binary(self, level: int) -> Value:
        if level == len(self._LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self.is_at(*self._LEVELS[level]) and not self._begins_element():
            token = self.next()
            if token.text == ":" and self.is_at(")", ","):
                raise self.fail("this range is not understood", token.at)
            left = self._compute(token, left, self._binary(level + 1))
        return left

    def _begins_element(self) -> bool:
        """Whether, within a matrix, `1 -2` are two elements: a sign with a space before it and none after."""
        if not self._in_matrix or not self.token.spaced or not self.is_at("+", "-"):
            return False
        return self.at < len(self.text) and self.text[self.token.to] not in " \t"

    def _unary(self) -> Value:
        if self.is_at("-", "+", "~", "!"):
            token = self.next()
            with self.deeper():
                value = self._unary()
            if not isinstance(value, np.ndarray):
                raise self.fail(f"{token.text!r} before what is no number", token.at)
            return -value if token.text == "-" else value if token.text == "+" else (value == 0).astype(np.float64)
        return self._power()

    def _power(self) -> Value:
        left = self._postfix()
        while self.is_at("^", ".^"):
            token = self.next()
            signs = [self.next().text for _ in iter(lambda: self.is_at("-", "+"), False)]
            right = self._postfix()
            if isinstance(right, np.ndarray) and signs.count("-") % 2:
                right = -right
            left = self._compute(token, left, right)
        return left

    def _postfix(self) -> Value:
        value = self._primary()
        while self.is_at("'", ".'") and not (self._in_matrix and self.token.spaced):
            self.next()
            if not isinstance(value, np.ndarray):
                raise self.fail("only matrices are transposed")
            value = value.T
        return value

    def _primary(self) -> Value:
        token = self.token
        if token.kind == "number":
            self.next()
            return scalar(float(token.text.lower().replace("d", "e")))
        if self.is_at("("):
            self.next()
            outer, self._in_matrix = self._in_matrix, False
            value = self.expression()
            self._in_matrix = outer
            self.expect(")")
            return value
        if self.is_at("["):
            return self._matrix()
        if self.is_at("{"):
            return self._cells()
        if self.is_at("'", '"'):
            return self._quoted()
        if token.kind == "name":
            return self._named()
        raise self.fail(f"{token.text.strip() or 'the end of the line'!r} is not understood here")

    def _named(self) -> Value:
        token = self.next()
        name = token.text
        if name in self.variables:
            value = self.variables[name]
            if not self.is_at("(") or (self._in_matrix and self.token.spaced):
                return value
            return self._part(name, value, self.arguments(name), token.at)
        if name in _CONSTANTS and not self.is_at("("):
            return scalar(_CONSTANTS[name])
        if name in _FILLED and self.is_at("("):
            return self._filled(name, token.at)
        if name in _FUNCTIONS and self.is_at("("):
            arguments = [one for one in self.arguments(name) if isinstance(one, np.ndarray)]
            if len(arguments) == 2 and name in ("max", "min"):
                self.bounded(
                    float(max(arguments[0].shape[0], arguments[1].shape[0]))
                    * max(arguments[0].shape[1], arguments[1].shape[1])
                )
            try:
                return np.atleast_2d(np.asarray(_FUNCTIONS[name](*arguments), dtype=np.float64))
            except (TypeError, ValueError, IndexError, OverflowError):
                raise self.fail(f"this call of {name} is not understood", token.at) from None
        raise self.fail(f"{name!r} is neither a variable of this file nor a function that is known here", token.at)

    def _filled(self, name: str, at: int) -> Matrix:
        """`zeros(rows, columns)` and its like; a number of less than zero is zero."""
        sides = [one.item() for one in self.arguments(name) if isinstance(one, np.ndarray) and one.size == 1]
        if len(sides) not in (1, 2) or any(np.isnan(side) for side in sides):
            raise self.fail(f"this call of {name} is not understood", at)
        rows, columns = max(sides[0], 0.0), max(sides[-1], 0.0)
        self.bounded(max(rows * columns if rows and columns else 0.0, rows, columns), at)
        return np.full((int(rows), int(columns)), _FILLED[name])

    def arguments(self, name: str) -> list[Value]:
        """What stands in parentheses behind a name; a colon alone is the text ':'."""
        self.expect("(")
        outer, self._in_matrix = self._in_matrix, False
        found: list[Value] = []
        while not self.is_at(")"):
            if self.is_at(":") and self.text[self.at : self.at + 20].lstrip()[:1] in (",", ")"):
                self.next()
                found.append(":")
            elif self.token.kind == "name" and self.token.text == "end" and name in self.variables:
                raise self.fail("`end` within parentheses is not understood")
            else:
                found.append(self.expression())
            if not self.is_at(")"):
                self.expect(",")
        self._in_matrix = outer
        self.next()
        return found

    def _part(self, name: str, value: Value, place: list[Value], at: int) -> Matrix:
        if not isinstance(value, np.ndarray) or len(place) not in (1, 2):
            raise self.fail(f"this part of {name} is not understood", at)
        if len(place) == 1:
            flat = value.ravel(order="F")[self.numbers(place[0], value.size, at)]
            return flat[np.newaxis, :] if value.shape[0] == 1 and value.shape[1] > 1 else flat[:, np.newaxis]
        rows, columns = (self.numbers(part, value.shape[axis], at) for axis, part in enumerate(place))
        self.bounded(len(rows) * len(columns), at)
        return np.asarray(value[np.ix_(rows, columns)])

    def numbers(self, place: Value, count: int, at: int) -> npt.NDArray[np.int64]:
        """An index into `count` rows or columns, counted from 0."""
        if isinstance(place, str):
            return np.arange(count)
        if not isinstance(place, np.ndarray):
            raise self.fail("this index is not understood", at)
        index = place.ravel(order="F")
        if (index != np.round(index)).any() or (index < 1).any() or (index > count).any():
            raise self.fail(f"an index is none of 1 to {count}", at)
        return index.astype(np.int64) - 1

    def _compute(self, token: Token, left: Value, right: Value) -> Matrix:
        if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
            raise self.fail(f"{token.text!r} between what are no numbers", token.at)
        if token.text == "*" and left.size != 1 and right.size != 1:
            return self._product(left, right, token.at)
        if (token.text == "/" and right.size != 1) or (token.text == "^" and left.size != 1):
            raise self.fail(
                f"{token.text!r} of matrices is not understood; element by element it is '.{token.text}'", token.at
            )
        operation = token.text.lstrip(".")
        try:
            with np.errstate(all="ignore"):
                if operation == ":":
                    self.bounded(right.item() - left.item() + 1.0, token.at)
                    return np.arange(left.item(), right.item() + 1.0)[np.newaxis, :]
                self.bounded(float(np.prod(np.broadcast_shapes(left.shape, right.shape))), token.at)
                return np.asarray(_OPERATIONS[operation](left, right), dtype=np.float64)
        except ValueError as problem:
            raise self.fail(f"sizes do not fit: {problem}", token.at) from None

    def _product(self, left: Matrix, right: Matrix, at: int) -> Matrix:
        if left.shape[1] != right.shape[0]:
            raise self.fail(f"sizes do not fit: {left.shape} times {right.shape}", at)
        self.bounded(left.shape[0] * right.shape[1], at)
        self.bounded(left.shape[0] * right.shape[1] * left.shape[1] / 100.0, at)  # as much work
        with np.errstate(all="ignore"):
            return np.asarray(left @ right)

    # Matrices, cells, text

    def _matrix(self) -> Matrix:
        closing = self.text.find("]", self.token.at)
        inside = self.text[self.token.to : closing]
        if closing >= 0 and _PLAIN_MATRIX.fullmatch(inside):
            plain = self._plain_matrix(inside)
            if plain is not None:
                self.at = closing + 1
                self.token = self.read()
                return plain
        rows = []
        for row in self._rows("[", "]"):
            parts = [part for part in row if isinstance(part, np.ndarray)]
            if len(parts) < len(row):
                raise self.fail("a matrix of something else than numbers is not understood")
            self.bounded(sum(part.size for part in parts))
            parts = [part for part in parts if part.size] or [np.zeros((0, 0))]
            heights = sorted({part.shape[0] for part in parts})
            if len(heights) > 1:
                raise self.fail(f"this matrix has parts side by side of {heights[0]} and {heights[-1]} rows")
            rows.append(np.hstack(parts))
            self.bounded(sum(part.size for part in rows))
        if len({row.shape[1] for row in rows if row.size}) > 1:
            raise self.fail("this matrix has rows of unequal length")
        return np.vstack([row for row in rows if row.size]) if any(row.size for row in rows) else np.zeros((0, 0))

    def _plain_matrix(self, inside: str) -> Matrix | None:
        """A matrix of plain numbers, the short way; None if it holds something to compute, such as `1 - 2`."""
        rows: list[list[str]] = []
        first = self.line()
        for number, line in enumerate(inside.split("\n")):
            for row in line.split(";"):
                words = row.replace(",", " ").split()
                if words:
                    if rows and len(words) != len(rows[0]):
                        raise MatlabError(
                            first + number, f"this row has {len(words)} columns, and the first {len(rows[0])}"
                        )
                    rows.append(words)
        if not rows:
            return np.zeros((0, 0))
        try:
            return np.array(rows, dtype=np.float64)
        except ValueError:
            return None

    def _cells(self) -> list[Any]:
        return [value for row in self._rows("{", "}") for value in row]

    def _rows(self, opening: str, closing: str) -> Iterator[list[Value]]:
        begun = self.line()
        self.expect(opening)
        outer, self._in_matrix = self._in_matrix, True
        row: list[Value] = []
        while not self.is_at(closing):
            if self.is_at_end():
                raise MatlabError(begun, f"{opening!r} is never closed")
            if self.is_at(";") or self.token.kind == "end":
                self.next()
                if row:
                    yield row
                row = []
            elif self.is_at(","):
                self.next()
            else:
                row.append(self.expression())
        if row:
            yield row
        self._in_matrix = outer
        self.next()

    def _quoted(self) -> str:
        quote = self.token.text
        at = self.token.at
        end = self.token.to
        while True:
            end = self.text.find(quote, end)
            if end < 0 or "\n" in self.text[at:end]:
                raise self.fail("this text is never closed", at)
            if self.text[end : end + 2] == 2 * quote:
                end += 2
                continue
            break
        text = self.text[at + 1 : end].replace(2 * quote, quote)
        self.at = end + 1
        self.token = self.read()
        return text


_OPERATIONS: dict[str, Callable[[Matrix, Matrix], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "~=": np.not_equal,
    "!=": np.not_equal,
    "&": np.logical_and,
    "&&": np.logical_and,
    "|": np.logical_or,
    "||": np.logical_or,
}


def scalar(value: float) -> Matrix:
    return np.array([[value]])
