"""`heptagrid new`: a scenario to edit."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def new(name: str, force: bool) -> None:
    """Write NAME.toml, a scenario with every key, its default, unit, range and source as comments."""
    from heptagrid.foundation.errors import OutputError
    from heptagrid.foundation.output_file import whole_file
    from heptagrid.scenario.template import template

    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    if path.exists() and not force:
        raise OutputError(f"{path} exists; choose another name, or --force to replace it")
    with whole_file(path) as writing:
        writing.write_text(template(path.stem), encoding="utf-8")
    click.echo(f"wrote {path}; edit it, then: heptagrid run {shlex.quote(str(path))}")
