"""The text of a MATLAB file, token by token: comments blanked, continued lines joined, every token at its line."""

from __future__ import annotations

import re

from heptagrid.foundation.errors import HeptagridError

_TOKEN = re.compile(
    r"""(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?)
    |(?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    |(?P<operator>\.\*|\./|\.\^|\.'|==|~=|!=|<=|>=|&&|\|\||[-+*/^<>&|~!=:(),;\[\]{}'"])
    |(?P<space>[ \t]+)
    |(?P<end>\r?\n)""",
    re.VERBOSE,
)


class MatlabError(HeptagridError):
    """A statement that is not understood, with its line."""

    exit_code = 3

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        super().__init__(f"line {line}: {what}")


class TooLargeError(MatlabError):
    """A statement whose value would be larger, or nested deeper, than any case file's."""


class Token:
    """kind: number, name, operator, end, text. spaced: whether a space stands before it; at: where it begins; to: where it ends."""

    __slots__ = ("at", "kind", "spaced", "text", "to")

    def __init__(self, kind: str, text: str, at: int, to: int, spaced: bool) -> None:
        self.kind, self.text, self.at, self.to, self.spaced = kind, text, at, to, spaced


class Tokens:
    """A text being read; `token` is the present one."""

    def __init__(self, text: str) -> None:
        self.text = _without_comments(text)
        self.at = 0
        self.token = self.read()

    def line(self, at: int | None = None) -> int:
        """The line of a place in the text, or of the present token."""
        return self.text.count("\n", 0, self.token.at if at is None else at) + 1

    def fail(self, what: str, at: int | None = None) -> MatlabError:
        """The error that says so, with the line."""
        return MatlabError(self.line(at), what)

    def read(self) -> Token:
        """The token at `at`, which moves behind it."""
        spaced = False
        while True:
            if self.at >= len(self.text):
                return Token("end", "", self.at, self.at, spaced)
            found = _TOKEN.match(self.text, self.at)
            if found is None:
                raise MatlabError(self.line(self.at), f"{self.text[self.at]!r} is not understood")
            self.at = found.end()
            kind = str(found.lastgroup)
            if kind != "space":
                return Token(kind, found.group(), found.start(), found.end(), spaced)
            spaced = True

    def next(self) -> Token:
        """Take the present token."""
        taken, self.token = self.token, self.read()
        return taken

    def is_at(self, *texts: str) -> bool:
        """Whether the present token is one of these operators."""
        return self.token.kind == "operator" and self.token.text in texts

    def expect(self, text: str) -> None:
        """Take an operator that must come now."""
        if not self.is_at(text):
            raise self.fail(f"{text!r} is expected, and {self.token.text.strip() or 'the end of the line'!r} found")
        self.next()

    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self.token.kind == "end" and not self.token.text

    def ends_statement(self) -> bool:
        """Whether the present token ends a statement: the end of the line, or what parts two on a line."""
        return self.token.kind == "end" or self.is_at(";", ",")


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
