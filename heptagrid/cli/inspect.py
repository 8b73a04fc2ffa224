"""`heptagrid inspect`: what a network file contains."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("source", metavar="FILE")
@click.option("--svg", type=click.Path(path_type=Path), metavar="FILE.svg", help="Draw the network.")
@click.option("--customers", type=click.IntRange(1), metavar="N", help="Of a scenario's city: with so many customers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def inspect(source: str, svg: Path | None, customers: int | None, as_json: bool) -> None:
    """Describe the network in FILE: counts, totals, voltage levels, shape, its solver and the reason for it, and a map.

    FILE is as for heptagrid flow, or a built-in scenario with a city, whose figures are set beside published ones. What cannot be represented is
    listed on standard error.

    \b
    Examples:
      heptagrid inspect case118.m --svg map.svg
      heptagrid inspect city --customers 100000
    """
    import json

    from heptagrid.foundation.output_file import refuse_overwriting
    from heptagrid.report.inventory import inventory_text
    from heptagrid.report.network_map import write_map
    from heptagrid.scenario.load import builtin_scenarios
    from heptagrid.studies.flow import api

    if source in builtin_scenarios():
        _inspect_city(source, svg, customers, as_json)
        return
    if customers is not None:
        raise click.UsageError(f"--customers is for a scenario with a city, such as city; {source} is a file")
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


def _inspect_city(name: str, svg: Path | None, customers: int | None, as_json: bool) -> None:
    import json

    from heptagrid.report.city_text import city_text
    from heptagrid.scenario.load import load
    from heptagrid.studies.city import city_figures

    if svg is not None:
        raise click.UsageError(f"--svg draws a network in a file; {name} is a scenario: run it and open its report")
    scenario = load(name, [] if customers is None else [f"city.customers={customers}"])
    if not scenario.sections["city"].customers:
        raise click.UsageError(f"the scenario {name} has no city: give it --customers, or name a network's file")
    found = city_figures(scenario)
    click.echo(json.dumps(found.summary()) if as_json else city_text(found))
