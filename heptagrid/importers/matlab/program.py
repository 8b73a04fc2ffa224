"""The part of the MATLAB language that case files use: assignments of numbers, matrices, text and cells to variables and fields,
parts of matrices, arithmetic, and `if` with a known condition. Any other statement is refused with its line, never skipped.

Source: the language as MathWorks and GNU Octave document it, and every file in MATPOWER's data folder.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from heptagrid.importers.matlab.tokens import MatlabError, TooLargeError
from heptagrid.importers.matlab.values import Expressions, Value, scalar


def run(
    text: str, names: Mapping[str, list[tuple[str, float]]], counting: frozenset[str] = frozenset()
) -> tuple[str, dict[str, Value]]:
    """The name that the function in `text` returns, and the variables and fields (`mpc.bus`) after its last line.

    names: what calls without arguments yield, as pairs of a name and its value: `[PQ, PV] = idx_bus` takes the values in order, and
    `define_constants` alone sets all names. counting: fields of the returned struct that count; what another field is given may be beyond
    what is understood here, and is then an empty cell. All count if none is named.

    Raises
    ------
    MatlabError
        At the first statement that is not understood, or whose value is larger than any case's.
    """
    return _Program(text, names, counting).run()


class _Program(Expressions):
    def __init__(self, text: str, names: Mapping[str, list[tuple[str, float]]], counting: frozenset[str]) -> None:
        self._names = names
        self._counting = counting
        self._returned = ""
        super().__init__(text)

    def run(self) -> tuple[str, dict[str, Value]]:
        returned = self._returned = self._function()
        while not self.is_at_end():
            if self.ends_statement():
                self.next()
            elif self.token.kind == "name" and self.token.text in ("end", "return", "endfunction"):
                self.next()
                break
            else:
                self._statement()
        self._nothing_more()
        return returned, self.variables

    def _nothing_more(self) -> None:
        while self.ends_statement() and not self.is_at_end():
            self.next()
        if not self.is_at_end():
            raise self.fail("stands behind the end of the function")

    def _function(self) -> str:
        while self.ends_statement() and not self.is_at_end():
            self.next()
        if self.token.text != "function":
            raise self.fail("a case file begins with `function mpc = name`")
        self.next()
        if self.is_at("["):
            raise self.fail(
                "returns several values, as case files of version 1 do; save it in version 2 (mpc.bus, mpc.gen, ...)"
            )
        returned = self.next()
        if returned.kind != "name":
            raise self.fail("a case file begins with `function mpc = name`")
        self.expect("=")
        self.next()
        if self.is_at("("):
            self.next()
            self.expect(")")
        return returned.text

    def _statement(self) -> None:
        if self.token.kind == "name" and self.token.text == "if":
            with self.deeper():
                self._if()
        elif self.is_at("["):
            self._several()
        elif self.token.kind == "name" and self.token.text in self._names:
            self.variables.update((name, scalar(value)) for name, value in self._names[self.next().text])
        elif self.token.kind == "name" and self._has_no_effect(self.token.text):
            self._without_effect()
        elif self.token.kind == "name":
            self._assignment()
        else:
            raise self.fail(f"{self.token.text!r} is not understood")
        if not self.ends_statement():
            raise self.fail(f"{self.token.text!r} is not understood here")

    def _if(self) -> None:
        """Run the one branch whose condition holds; the others are passed over, unread."""
        begun = self.line()
        done = False
        while True:
            word = self.next().text
            holds = not done if word == "else" else self._condition()
            if holds and not done:
                done = True
                while not (self.token.kind == "name" and self.token.text in ("else", "elseif", "end", "endif")):
                    if self.is_at_end():
                        raise MatlabError(begun, "this `if` has no `end`")
                    if self.ends_statement():
                        self.next()
                    else:
                        self._statement()
            else:
                self._pass_over(begun)
            if self.token.text in ("end", "endif"):
                self.next()
                return

    def _condition(self) -> bool:
        at = self.token.at
        value = self.expression()
        if not isinstance(value, np.ndarray):
            raise self.fail("this condition is not understood", at)
        return bool(value.size) and bool(np.all(value != 0))

    def _pass_over(self, begun: int) -> None:
        depth = 0
        brackets = 0
        while not self.is_at_end():
            if self.is_at("(", "[", "{"):
                brackets += 1
            elif self.is_at(")", "]", "}"):
                brackets -= 1
            word = self.token.text if self.token.kind == "name" and not brackets else ""
            if not depth and word in ("else", "elseif", "end", "endif"):
                return
            depth += word in ("if", "for", "while", "switch")
            depth -= word in ("end", "endif", "endfor", "endwhile")
            self.next()
        raise MatlabError(begun, "this `if` has no `end`")

    def _several(self) -> None:
        """`[PQ, PV, ...] = idx_bus`: names for columns."""
        at = self.token.at
        self.next()
        targets = []
        while not self.is_at("]"):
            token = self.next()
            if token.kind == "name":
                targets.append(token.text)
            elif token.text not in (",", "~"):
                raise self.fail("only names of columns, as in `[PQ, PV, ...] = idx_bus`, are assigned to together", at)
            elif token.text == "~":
                targets.append("~")
        self.next()
        self.expect("=")
        call = self.next()
        if call.text not in self._names or len(targets) > len(self._names[call.text]):
            raise self.fail(f"{call.text!r} is not understood; known are {', '.join(self._names)}", at)
        for target, (_, value) in zip(targets, self._names[call.text], strict=False):
            if target != "~":
                self.variables[target] = scalar(value)

    def _has_no_effect(self, name: str) -> bool:
        struct, _, field = name.partition(".")
        return (
            bool(self._counting) and struct == self._returned and field.partition(".")[0] not in {"", *self._counting}
        )

    def _without_effect(self) -> None:
        """An assignment to a field that does not count: if it is not understood, it is passed over, and its field an empty cell."""
        begin, name, depth = self.token.at, self.token.text, self._depth
        try:
            self._assignment()
            if not self.ends_statement():
                raise self.fail(f"{self.token.text!r} is not understood here")
        except TooLargeError:
            raise
        except MatlabError as problem:
            self._in_matrix, self._depth = False, depth
            end = _end_of_statement(self.text, begin)
            if end is None:
                raise problem
            self.at = end
            self.token = self.read()
            self.variables[name] = []

    def _assignment(self) -> None:
        at = self.token.at
        name = self.next().text
        place = self.arguments(name) if self.is_at("(") else None
        if not self.is_at("="):
            raise self.fail(f"{self.text[at : self.text.find(chr(10), at)].strip()!r} is not understood", at)
        self.next()
        value = self.expression()
        if place is None:
            self.keep(name, value, at)
            return
        target = self.variables.get(name)
        if not isinstance(target, np.ndarray) or not isinstance(value, np.ndarray):
            raise self.fail(f"{name} is no matrix of which a part could be changed", at)
        try:
            changed = target.copy()
            if len(place) == 1:
                flat = changed.ravel(order="F")
                flat[self.numbers(place[0], flat.size, at)] = value.ravel(order="F") if value.size > 1 else value.item()
                changed = flat.reshape(changed.shape, order="F")
            else:
                rows, columns = (self.numbers(part, changed.shape[axis], at) for axis, part in enumerate(place))
                changed[np.ix_(rows, columns)] = value
        except ValueError as problem:
            raise self.fail(f"sizes do not fit: {problem}", at) from None
        self.variables[name] = changed


def _end_of_statement(text: str, begin: int) -> int | None:
    """Where the statement ends that begins at a place, whatever it says; None if its brackets are never closed."""
    brackets, quote = 0, ""
    for at in range(begin, len(text)):
        sign = text[at]
        if quote:
            quote = "" if sign in (quote, "\n") else quote
        elif sign == '"' or (sign == "'" and not (text[at - 1].isalnum() or text[at - 1] in ")]}'._")):
            quote = sign
        elif sign in "([{":
            brackets += 1
        elif sign in ")]}":
            brackets -= 1
        elif brackets <= 0 and sign in ";\n":
            return at
    return None if brackets > 0 else len(text)
