"""`heptagrid inspect`: what a network file contains."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("source", metavar="FILE")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw the network.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def inspect(source: str, svg: Path | None, as_json: bool) -> None:
    """Describe the network in FILE: counts, totals, voltage levels, shape, its solver and the reason for it, and a map.

    FILE is as for heptagrid flow. What cannot be represented is listed on standard error.

    \b
    Example:
      heptagrid inspect case118.m --svg map.svg
    """
    import json

    from heptagrid.foundation.output_file import refuse_overwriting
    from heptagrid.report.inventory import inventory_text
    from heptagrid.report.network_map import write_map
    from heptagrid.studies.flow import api

    refuse_overwriting([source], [svg])
    found = api.inspect(source)
    for remark in found.remarks:
        click.echo(f"note: {remark}", err=True)
    if svg is not None:
        write_map(svg, found.drawing, found.name)
    if as_json:
        click.echo(json.dumps(found.summary(), allow_nan=False))
        return
    click.echo(inventory_text(found))
    if svg is not None:
        click.echo(f"map: {svg}")
