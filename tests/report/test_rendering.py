"""How pages are made from templates: values are escaped, what is missing is an error, layout in the source is not on the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, UndefinedError

from heptagrid.report.rendering import FOLDER, _environment, folded, render


def without_comments(source: str) -> str:
    return re.sub(r"{#.*?#}", "", source, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("<p>\n  <b>a</b>\n</p>\n", "<p><b>a</b></p>"),
        ("<p>in two\n  lines</p>", "<p>in two lines</p>"),
        ("<p>the <b>smart</b>\n  arm</p>", "<p>the <b>smart</b> arm</p>"),
        ("a\n{% if x %}\nb", "a {% if x %} b"),
        ("<p>a\n{%- if x %}\n<b>", "<p>a{%- if x %}<b>"),
        ("{{ a }}\n{{ b }}", "{{ a }} {{ b }}"),
        ("{{ a -}}\n<b>", "{{ a -}}<b>"),
        ("{{ f(1,\n  2) }}", "{{ f(1,\n  2) }}"),
    ],
)
def test_line_breaks_that_only_lay_out_a_template_are_not_on_the_page(source: str, page: str) -> None:
    assert without_comments(folded(source)) == page
    assert folded(source).count("\n") == source.count("\n"), "an error names the right line"


def test_values_are_escaped_once_however_often_they_are_passed_on() -> None:
    sentences = ["it's <b>", "a & b\x07"]
    headline = render("sweep/headline.html", {"sentences": sentences})
    assert headline.startswith("<h1>it&#x27;s &lt;b&gt;</h1><p class='lead'>a &amp; b")
    assert "\x07" not in headline
    assert headline in render("sweep/headline.html", {"sentences": [headline]})


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="sentences"):
        render("sweep/headline.html", {})


def test_only_drawings_are_put_on_a_page_as_they_are() -> None:
    for path in FOLDER.rglob("*.html"):
        for one in re.findall(r"{{ ([\w.]+)\|safe", path.read_text(encoding="utf-8")):
            assert one.split(".")[-1] in ("chart", "map", "picture"), f"{path.name}: {one}"


def test_no_python_file_of_the_report_holds_html_but_drawings() -> None:
    drawings = {
        "bus_prices",
        "charts",
        "communication_map",
        "curves",
        "domain_picture",
        "merit_order",
        "network_map",
        "stacked",
        "terms",
        "tornado",
        "town_map",
    }
    for path in FOLDER.parent.glob("*.py"):
        if path.stem not in drawings:
            found = re.findall(
                r"""["'>]</?(?:p|div|table|t[dhr]|li|h[1-6]|span|b)\b[^\n]*""", path.read_text(encoding="utf-8")
            )
            assert not found, f"{path.name}: {found[0]}"


def test_a_template_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: Any, **options: Any) -> None:
        raise AssertionError("compiled anew")

    monkeypatch.setenv("HEPTAGRID_CACHE_DIR", str(tmp_path))
    _environment.cache_clear()
    first = _environment().get_template("parts.html").module
    _environment.cache_clear()
    monkeypatch.setattr(Environment, "compile", refused)
    assert vars(_environment().get_template("parts.html").module).keys() == vars(first).keys()
    with pytest.raises(AssertionError, match="compiled anew"):
        _environment().from_string("<p></p>")
    _environment.cache_clear()
