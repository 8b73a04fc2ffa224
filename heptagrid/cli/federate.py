"""`heptagrid federate`: the grid in a co-simulation of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from heptagrid.cli.options import EPILOG, run_options


@click.command(epilog=EPILOG)
@click.argument("scenario")
@click.argument("links", type=click.Path(path_type=Path))
@run_options
@click.option("--name", default="heptagrid", show_default=True, metavar="NAME", help="Its name in the federation.")
@click.option(
    "--arm", default="smart", show_default=True, type=click.Choice(["smart", "conventional"]), help="Which arm."
)
@click.option(
    "--core", default="zmq", show_default=True, metavar="TYPE", help="HELICS's type of core: zmq, tcp, udp, ..."
)
@click.option("--broker", metavar="HOST:PORT", help="Where the broker listens (default: where HELICS looks for one).")
@click.option("--json", "as_json", is_flag=True, help="Print what it came to as JSON.")
def federate(
    scenario: str, links: Path, name: str, arm: str, core: str, broker: str | None, as_json: bool, **options: Any
) -> None:
    """Let SCENARIO take part in a HELICS co-simulation, with the values that LINKS.toml names.

    \b
    LINKS.toml:
      [[publish]]    key, quantity = "v_pu" | "infeed_p_kw" | "infeed_q_kvar" | "customer_v_pu" | "customer_p_kw" | "price_eur_per_mwh", at
      [[subscribe]]  key, quantity = "p_kw" | "q_kvar" | "infeed_v_pu", at
    at is the number of a node, customer or town, from 0. docs/federate.md explains every quantity.

    \b
    Example, beside `helics_broker -f 2` and another federate:
      heptagrid federate town links.toml --step 60
    """
    import json

    from heptagrid.foundation.errors import UsageError
    from heptagrid.live.federate import federate as join
    from heptagrid.live.federate import read_links
    from heptagrid.scale.run import resolve

    if options.pop("typical"):
        raise UsageError("--typical: a co-simulation runs one span of days; leave it out")
    resolved = resolve(scenario, **options)
    at = f"--broker_address={'' if '://' in broker else 'tcp://'}{broker}" if broker else ""
    result, (published, taken) = join(resolved, read_links(links), name=name, arm=arm, core=core, core_options=at)
    energy = result.energy
    figures = {
        "steps": result.steps,
        "published": published,
        "taken": taken,
        "imported_kwh": energy.imported,
        "consumed_kwh": energy.consumed,
        "lost_kwh": energy.lost,
        "residual_kwh": energy.residual,
        "v_min_pu": result.extremes.v_min_pu,
        "v_max_pu": result.extremes.v_max_pu,
    }
    if as_json:
        click.echo(json.dumps(figures))
        return
    for what, value in figures.items():
        click.echo(f"{what:14} {value:.6g}" if isinstance(value, float) else f"{what:14} {value}")
