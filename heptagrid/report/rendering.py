"""Pages from Jinja2 templates, `templates/*.html`: every value is escaped, and a name that is missing is an error.

A line break of a template between tags or statements, or beside one that strips blanks (`{%-`, `-}}`), is nothing; any other one is a
blank. So templates are laid out in lines, and pages hold no more than they need.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heptagrid.report.terms import explained
from heptagrid.report.words import ARM_TITLES, duration, kind_words, number, plain, signed, text

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "templates"

_STATEMENT = re.compile(r"({%.*?%}|{{.*?}}|{#.*?#})", re.DOTALL)
_LINE_BREAK = re.compile(r"[ \t]*\n\s*")
_LINES_KEPT = "{{#{}#}}"  # a comment that holds line breaks, so that errors name the right line


def render(template: str, values: Mapping[str, Any]) -> str:
    """A template filled with values; the result stays as it is where another template shows it."""
    from markupsafe import Markup

    return Markup(_environment().get_template(template).render(values))


def prepare(template: str) -> None:
    """Read a template, so that a page is made of it sooner."""
    _environment().get_template(template)


def document(template: str, title: str, values: Mapping[str, Any]) -> str:
    """A whole page, with the style inside."""
    from markupsafe import Markup

    style = Markup((Path(__file__).parent / "style.css").read_text(encoding="utf-8"))
    return str(render(template, {**values, "title": title, "style": style})) + "\n"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemBytecodeCache, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def escaped(value: Any) -> Any:
        return value if hasattr(value, "__html__") else Markup(text(value))

    def load(name: str) -> str:
        return folded((FOLDER / name).read_text(encoding="utf-8"))

    made = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        finalize=escaped,
        undefined=StrictUndefined,
        cache_size=-1,
        bytecode_cache=FileSystemBytecodeCache(str(_cache_folder())),
    )
    made.filters |= {
        "arm": ARM_TITLES.__getitem__,
        "duration": duration,
        "explained": lambda body: Markup(explained(str(body))),
        "kind": kind_words,
        "number": number,
        "plain": plain,
        "signed": signed,
    }
    return made


def _cache_folder() -> Path:
    """Where compiled templates are kept, which takes a fifth of the time of compiling them; each beside a hash of its source."""
    from heptagrid.foundation.compiled.kernel import fingerprint_of
    from heptagrid.foundation.compiled.kernel_cache import cache_folder

    folder = cache_folder() / "templates" / f"{fingerprint_of(__name__)}-{version('jinja2')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def folded(source: str) -> str:
    """A template's source without the line breaks and indentation that only lay it out."""
    parts = _STATEMENT.split(source)
    for k in range(0, len(parts), 2):
        before = parts[k - 1] if k else "%}"
        after = parts[k + 1] if k + 1 < len(parts) else "{%"
        parts[k] = _LINE_BREAK.sub(_Folding(before, after), parts[k])
    return "".join(parts)


class _Folding:
    """What stands for a line break in the text between two statements."""

    def __init__(self, before: str, after: str) -> None:
        self._before, self._after = before, after

    def __call__(self, found: re.Match[str]) -> str:
        left = found.string[: found.start()] or self._before
        right = found.string[found.end() :] or self._after
        is_layout = left.endswith((">", "%}", "#}")) and right.startswith(("<", "{%", "{#"))
        is_layout |= left.endswith(("-%}", "-}}")) or right.startswith(("{%-", "{{-"))
        return ("" if is_layout else " ") + _LINES_KEPT.format("\n" * found[0].count("\n"))
