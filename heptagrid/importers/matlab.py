"""The part of the MATLAB language that case files use: assignments of numbers, matrices, text and cells to variables and fields,
parts of matrices, arithmetic, and `if` with a known condition. Any other statement is refused with its line, never skipped.

Source: the language as MathWorks and GNU Octave document it, and every file in MATPOWER's data folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import HeptagridError

Matrix = npt.NDArray[np.float64]

# Cells, and text, which are carried along and never computed with.
Value = Matrix | str | list[Any]

_TOKEN = re.compile(
    r"""(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?)
    |(?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    |(?P<operator>\.\*|\./|\.\^|\.'|==|~=|!=|<=|>=|&&|\|\||[-+*/^<>&|~!=:(),;\[\]{}'"])
    |(?P<space>[ \t]+)
    |(?P<end>\r?\n)""",
    re.VERBOSE,
)
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
    "zeros": lambda rows, columns=None: np.zeros(
        (int(rows.item()), int((rows if columns is None else columns).item()))
    ),
    "ones": lambda rows, columns=None: np.ones((int(rows.item()), int((rows if columns is None else columns).item()))),
}
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


class MatlabError(HeptagridError):
    """A statement that is not understood, with its line."""

    exit_code = 3

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {what}")


def run(text: str, names: Mapping[str, list[tuple[str, float]]]) -> tuple[str, dict[str, Value]]:
    """The name that the function in `text` returns, and the variables and fields (`mpc.bus`) after its last line.

    names: what calls without arguments yield, as pairs of a name and its value: `[PQ, PV] = idx_bus` takes the values in order, and
    `define_constants` alone sets all names.

    Raises
    ------
    MatlabError
        At the first statement that is not understood.
    """
    return _Program(text, names).run()


class _Token:
    """kind: number, name, operator, end, text. spaced: whether a space stands before it; at: where it begins; to: where it ends."""

    __slots__ = ("at", "kind", "spaced", "text", "to")

    def __init__(self, kind: str, text: str, at: int, to: int, spaced: bool) -> None:
        self.kind, self.text, self.at, self.to, self.spaced = kind, text, at, to, spaced


class _Program:
    def __init__(self, text: str, names: Mapping[str, list[tuple[str, float]]]) -> None:
        self._text = _without_comments(text)
        self._names = names
        self._at = 0
        self._variables: dict[str, Value] = {}
        self._token = self._read()

    # Tokens

    def _line(self, at: int | None = None) -> int:
        return self._text.count("\n", 0, self._token.at if at is None else at) + 1

    def _fail(self, what: str, at: int | None = None) -> MatlabError:
        return MatlabError(self._line(at), what)

    def _read(self) -> _Token:
        spaced = False
        while True:
            if self._at >= len(self._text):
                return _Token("end", "", self._at, self._at, spaced)
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                raise MatlabError(self._line(self._at), f"{self._text[self._at]!r} is not understood")
            self._at = found.end()
            kind = str(found.lastgroup)
            if kind != "space":
                return _Token(kind, found.group(), found.start(), found.end(), spaced)
            spaced = True

    def _next(self) -> _Token:
        """Take the present token."""
        taken, self._token = self._token, self._read()
        return taken

    def _is(self, *texts: str) -> bool:
        return self._token.kind == "operator" and self._token.text in texts

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise self._fail(f"{text!r} is expected, and {self._token.text.strip() or 'the end of the line'!r} found")
        self._next()

    # Statements

    def run(self) -> tuple[str, dict[str, Value]]:
        returned = self._function()
        while not self._at_end():
            if self._ends_statement():
                self._next()
            elif self._token.kind == "name" and self._token.text in ("end", "return", "endfunction"):
                self._next()
                break
            else:
                self._statement()
        self._nothing_more()
        return returned, self._variables

    def _at_end(self) -> bool:
        return self._token.kind == "end" and not self._token.text

    def _ends_statement(self) -> bool:
        return self._token.kind == "end" or self._is(";", ",")

    def _nothing_more(self) -> None:
        while self._ends_statement() and not self._at_end():
            self._next()
        if not self._at_end():
            raise self._fail("stands behind the end of the function")

    def _function(self) -> str:
        while self._ends_statement() and not self._at_end():
            self._next()
        if self._token.text != "function":
            raise self._fail("a case file begins with `function mpc = name`")
        self._next()
        if self._is("["):
            raise self._fail(
                "returns several values, as case files of version 1 do; save it in version 2 (mpc.bus, mpc.gen, ...)"
            )
        returned = self._next()
        if returned.kind != "name":
            raise self._fail("a case file begins with `function mpc = name`")
        self._expect("=")
        self._next()
        if self._is("("):
            self._next()
            self._expect(")")
        return returned.text

    def _statement(self) -> None:
        if self._token.kind == "name" and self._token.text == "if":
            self._if()
        elif self._is("["):
            self._several()
        elif self._token.kind == "name" and self._token.text in self._names:
            self._variables.update((name, _scalar(value)) for name, value in self._names[self._next().text])
        elif self._token.kind == "name":
            self._assignment()
        else:
            raise self._fail(f"{self._token.text!r} is not understood")
        if not self._ends_statement():
            raise self._fail(f"{self._token.text!r} is not understood here")

    def _if(self) -> None:
        """Run the one branch whose condition holds; the others are passed over, unread."""
        begun = self._line()
        done = False
        while True:
            word = self._next().text
            holds = not done if word == "else" else self._condition()
            if holds and not done:
                done = True
                while not (self._token.kind == "name" and self._token.text in ("else", "elseif", "end", "endif")):
                    if self._at_end():
                        raise MatlabError(begun, "this `if` has no `end`")
                    if self._ends_statement():
                        self._next()
                    else:
                        self._statement()
            else:
                self._pass_over(begun)
            if self._token.text in ("end", "endif"):
                self._next()
                return

    def _condition(self) -> bool:
        at = self._token.at
        value = self._expression()
        if not isinstance(value, np.ndarray):
            raise self._fail("this condition is not understood", at)
        return bool(value.size) and bool(np.all(value != 0))

    def _pass_over(self, begun: int) -> None:
        depth = 0
        brackets = 0
        while not self._at_end():
            if self._is("(", "[", "{"):
                brackets += 1
            elif self._is(")", "]", "}"):
                brackets -= 1
            word = self._token.text if self._token.kind == "name" and not brackets else ""
            if not depth and word in ("else", "elseif", "end", "endif"):
                return
            depth += word in ("if", "for", "while", "switch")
            depth -= word in ("end", "endif", "endfor", "endwhile")
            self._next()
        raise MatlabError(begun, "this `if` has no `end`")

    def _several(self) -> None:
        """`[PQ, PV, ...] = idx_bus`: names for columns."""
        at = self._token.at
        self._next()
        targets = []
        while not self._is("]"):
            token = self._next()
            if token.kind == "name":
                targets.append(token.text)
            elif token.text not in (",", "~"):
                raise self._fail("only names of columns, as in `[PQ, PV, ...] = idx_bus`, are assigned to together", at)
            elif token.text == "~":
                targets.append("~")
        self._next()
        self._expect("=")
        call = self._next()
        if call.text not in self._names or len(targets) > len(self._names[call.text]):
            raise self._fail(f"{call.text!r} is not understood; known are {', '.join(self._names)}", at)
        for target, (_, value) in zip(targets, self._names[call.text], strict=False):
            if target != "~":
                self._variables[target] = _scalar(value)

    def _assignment(self) -> None:
        at = self._token.at
        name = self._next().text
        place = self._arguments(name) if self._is("(") else None
        if not self._is("="):
            raise self._fail(f"{self._text[at : self._text.find(chr(10), at)].strip()!r} is not understood", at)
        self._next()
        value = self._expression()
        if place is None:
            self._variables[name] = value
            return
        target = self._variables.get(name)
        if not isinstance(target, np.ndarray) or not isinstance(value, np.ndarray):
            raise self._fail(f"{name} is no matrix of which a part could be changed", at)
        try:
            changed = target.copy()
            if len(place) == 1:
                flat = changed.ravel(order="F")
                flat[self._numbers(place[0], flat.size, at)] = (
                    value.ravel(order="F") if value.size > 1 else value.item()
                )
                changed = flat.reshape(changed.shape, order="F")
            else:
                rows, columns = (self._numbers(part, changed.shape[axis], at) for axis, part in enumerate(place))
                changed[np.ix_(rows, columns)] = value
        except ValueError as problem:
            raise self._fail(f"sizes do not fit: {problem}", at) from None
        self._variables[name] = changed

    # Expressions, in the order of precedence

    def _expression(self) -> Value:
        return self._binary(0)

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
        while self._is(*self._LEVELS[level]) and not self._begins_element():
            token = self._next()
            if token.text == ":" and self._is(")", ","):
                raise self._fail("this range is not understood", token.at)
            left = self._compute(token, left, self._binary(level + 1))
        return left

    def _begins_element(self) -> bool:
        """Whether, within a matrix, `1 -2` are two elements: a sign with a space before it and none after."""
        if not self._in_matrix or not self._token.spaced or not self._is("+", "-"):
            return False
        return self._at < len(self._text) and self._text[self._token.to] not in " \t"

    _in_matrix = False

    def _unary(self) -> Value:
        if self._is("-", "+", "~", "!"):
            token = self._next()
            value = self._unary()
            if not isinstance(value, np.ndarray):
                raise self._fail(f"{token.text!r} before what is no number", token.at)
            return -value if token.text == "-" else value if token.text == "+" else (value == 0).astype(np.float64)
        return self._power()

    def _power(self) -> Value:
        left = self._postfix()
        while self._is("^", ".^"):
            token = self._next()
            signs = [self._next().text for _ in iter(lambda: self._is("-", "+"), False)]
            right = self._postfix()
            if isinstance(right, np.ndarray) and signs.count("-") % 2:
                right = -right
            left = self._compute(token, left, right)
        return left

    def _postfix(self) -> Value:
        value = self._primary()
        while self._is("'", ".'") and not (self._in_matrix and self._token.spaced):
            self._next()
            if not isinstance(value, np.ndarray):
                raise self._fail("only matrices are transposed")
            value = value.T
        return value

    def _primary(self) -> Value:
        token = self._token
        if token.kind == "number":
            self._next()
            return _scalar(float(token.text.lower().replace("d", "e")))
        if self._is("("):
            self._next()
            outer, self._in_matrix = self._in_matrix, False
            value = self._expression()
            self._in_matrix = outer
            self._expect(")")
            return value
        if self._is("["):
            return self._matrix()
        if self._is("{"):
            return self._cells()
        if self._is("'", '"'):
            return self._quoted()
        if token.kind == "name":
            return self._named()
        raise self._fail(f"{token.text.strip() or 'the end of the line'!r} is not understood here")

    def _named(self) -> Value:
        token = self._next()
        name = token.text
        if name in self._variables:
            value = self._variables[name]
            if not self._is("(") or (self._in_matrix and self._token.spaced):
                return value
            return self._part(name, value, self._arguments(name), token.at)
        if name in _CONSTANTS and not self._is("("):
            return _scalar(_CONSTANTS[name])
        if name in _FUNCTIONS and self._is("("):
            arguments = [one for one in self._arguments(name) if isinstance(one, np.ndarray)]
            try:
                return np.atleast_2d(np.asarray(_FUNCTIONS[name](*arguments), dtype=np.float64))
            except (TypeError, ValueError, IndexError):
                raise self._fail(f"this call of {name} is not understood", token.at) from None
        raise self._fail(f"{name!r} is neither a variable of this file nor a function that is known here", token.at)

    def _arguments(self, name: str) -> list[Value]:
        """What stands in parentheses behind a name; a colon alone is the text ':'."""
        self._expect("(")
        outer, self._in_matrix = self._in_matrix, False
        found: list[Value] = []
        while not self._is(")"):
            if self._is(":") and self._text[self._at : self._at + 20].lstrip()[:1] in (",", ")"):
                self._next()
                found.append(":")
            elif self._token.kind == "name" and self._token.text == "end" and name in self._variables:
                raise self._fail("`end` within parentheses is not understood")
            else:
                found.append(self._expression())
            if not self._is(")"):
                self._expect(",")
        self._in_matrix = outer
        self._next()
        return found

    def _part(self, name: str, value: Value, place: list[Value], at: int) -> Matrix:
        if not isinstance(value, np.ndarray) or len(place) not in (1, 2):
            raise self._fail(f"this part of {name} is not understood", at)
        if len(place) == 1:
            flat = value.ravel(order="F")[self._numbers(place[0], value.size, at)]
            return flat[np.newaxis, :] if value.shape[0] == 1 and value.shape[1] > 1 else flat[:, np.newaxis]
        rows, columns = (self._numbers(part, value.shape[axis], at) for axis, part in enumerate(place))
        return np.asarray(value[np.ix_(rows, columns)])

    def _numbers(self, place: Value, count: int, at: int) -> npt.NDArray[np.int64]:
        if isinstance(place, str):
            return np.arange(count)
        if not isinstance(place, np.ndarray):
            raise self._fail("this index is not understood", at)
        index = place.ravel(order="F")
        if (index != np.round(index)).any() or (index < 1).any() or (index > count).any():
            raise self._fail(f"an index is none of 1 to {count}", at)
        return index.astype(np.int64) - 1

    def _compute(self, token: _Token, left: Value, right: Value) -> Matrix:
        if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
            raise self._fail(f"{token.text!r} between what are no numbers", token.at)
        single = left.size == 1 or right.size == 1
        if (
            (token.text == "*" and not single)
            or (token.text == "/" and right.size != 1)
            or (token.text == "^" and left.size != 1)
        ):
            raise self._fail(
                f"{token.text!r} of matrices is not understood; element by element it is '.{token.text}'", token.at
            )
        operation = token.text.lstrip(".")
        try:
            with np.errstate(all="ignore"):
                if operation == ":":
                    return np.arange(left.item(), right.item() + 1.0)[np.newaxis, :]
                return np.asarray(_OPERATIONS[operation](left, right), dtype=np.float64)
        except ValueError as problem:
            raise self._fail(f"sizes do not fit: {problem}", token.at) from None

    # Matrices, cells, text

    def _matrix(self) -> Matrix:
        closing = self._text.find("]", self._token.at)
        inside = self._text[self._token.to : closing]
        if closing >= 0 and _PLAIN_MATRIX.fullmatch(inside):
            plain = self._plain_matrix(inside)
            if plain is not None:
                self._at = closing + 1
                self._token = self._read()
                return plain
        rows = []
        for row in self._rows("[", "]"):
            parts = [part for part in row if isinstance(part, np.ndarray)]
            if len(parts) < len(row):
                raise self._fail("a matrix of something else than numbers is not understood")
            rows.append(np.hstack([part for part in parts if part.size or len(parts) == 1]))
        if len({row.shape[1] for row in rows if row.size}) > 1:
            raise self._fail("this matrix has rows of unequal length")
        return np.vstack([row for row in rows if row.size]) if any(row.size for row in rows) else np.zeros((0, 0))

    def _plain_matrix(self, inside: str) -> Matrix | None:
        """A matrix of plain numbers, the short way; None if it holds something to compute, such as `1 - 2`."""
        rows: list[list[str]] = []
        first = self._line()
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
        begun = self._line()
        self._expect(opening)
        outer, self._in_matrix = self._in_matrix, True
        row: list[Value] = []
        while not self._is(closing):
            if self._at_end():
                raise MatlabError(begun, f"{opening!r} is never closed")
            if self._is(";") or self._token.kind == "end":
                self._next()
                if row:
                    yield row
                row = []
            elif self._is(","):
                self._next()
            else:
                row.append(self._expression())
        if row:
            yield row
        self._in_matrix = outer
        self._next()

    def _quoted(self) -> str:
        quote = self._token.text
        at = self._token.at
        end = self._token.to
        while True:
            end = self._text.find(quote, end)
            if end < 0 or "\n" in self._text[at:end]:
                raise self._fail("this text is never closed", at)
            if self._text[end : end + 2] == 2 * quote:
                end += 2
                continue
            break
        text = self._text[at + 1 : end].replace(2 * quote, quote)
        self._at = end + 1
        self._token = self._read()
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


def _scalar(value: float) -> Matrix:
    return np.array([[value]])


_BLOCK_BEGIN, _BLOCK_END = re.compile(r"\s*[%#]\{\s*"), re.compile(r"\s*[%#]\}\s*")


def _without_comments(text: str) -> str:
    """The text with comments blanked and continued lines joined, each line still at its number."""
    lines: list[str] = []
    depth = 0
    owed = 0
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        depth += bool(_BLOCK_BEGIN.fullmatch(line))
        if depth:
            depth -= bool(_BLOCK_END.fullmatch(line))
            line = ""
        kept, goes_on = _code(line)
        if lines and owed:
            lines[-1] += kept
        else:
            lines.append(kept)
        if goes_on:
            owed += 1
            lines[-1] += " "
        else:
            lines += [""] * owed
            owed = 0
    return "\n".join(lines)


def _code(line: str) -> tuple[str, bool]:
    """A line without its comment, and whether it goes on in the next."""
    if "%" not in line and "#" not in line and "..." not in line:
        return line, False
    quote = ""
    for k, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign == '"' or (sign == "'" and (k == 0 or not (line[k - 1].isalnum() or line[k - 1] in ")]}'._"))):
            quote = sign
        elif sign in "%#":
            return line[:k], False
        elif line.startswith("...", k):
            return line[:k], True
    return line, False
