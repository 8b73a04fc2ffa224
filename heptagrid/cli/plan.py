"""`heptagrid plan`: how many collectors, gateways or cells, where, and at what cost."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.console import print_wide, with_progress
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("scenario", default="town")
@click.option(
    "--technology",
    "technologies",
    multiple=True,
    metavar="NAME",
    help="Of the access network, such as wi-sun-50k, g3-plc, lorawan, nb-iot (default: the scenario's); several make several plans.",
)
@click.option("--customers", type=click.IntRange(1), metavar="N", help="Plan for a city with so many customers.")
@click.option(
    "--feeder",
    type=click.Path(path_type=Path),
    metavar="FILE.dss",
    help="Plan on this feeder instead of the scenario's network.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key, such as plan.most_hops=4.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the shadowing (default: the scenario's).")
@click.option(
    "--carry",
    "carry_hours",
    is_flag=False,
    flag_value=24.0,
    default=0.0,
    type=click.FloatRange(0.0, 744.0),
    metavar="[HOURS]",
    help="Carry the readings of a day, or of so many hours, over each plan, message by message.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a page with maps, and of each technology sites, meters, and a network for heptagrid carry.",
)
@click.option("--force", is_flag=True, help="Replace the plan that the folder holds.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON and nothing else on standard output.")
def plan(
    scenario: str,
    technologies: tuple[str, ...],
    customers: int | None,
    feeder: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    carry_hours: float,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Plan the sites of an access network for SCENARIO: how many, where, at what cost, and which meters none reaches.

    Each site is put where it serves the most meters that none serves yet, by the technology's link budget with log-normal shadowing. Limits
    and costs are keys of the sections plan, telecom and business; docs/plan.md explains them.

    \b
    Examples:
      heptagrid plan --technology wi-sun-50k --technology g3-plc
      heptagrid plan --technology lorawan --set plan.heard_by=2 --json
      heptagrid plan --technology wi-sun-50k --out myplan --carry
      heptagrid carry myplan/wi-sun-50k/network.toml myplan/wi-sun-50k/traffic.csv
    """
    import json

    from heptagrid.report.plan_page import write_page
    from heptagrid.report.plan_text import plan_text
    from heptagrid.studies.plan import api
    from heptagrid.studies.plan.folder import PAGE

    of_city = () if customers is None else (f"city.customers={customers}",)
    found = with_progress(
        lambda tick: api.plan(
            scenario,
            technologies,
            settings=(*settings, *of_city),
            feeder=feeder,
            seed=seed,
            out=out,
            force=force,
            carry_hours=carry_hours,
            progress=tick,
        )
    )
    if out is not None:
        write_page(out, found)
    content = found.summary()
    if as_json:
        click.echo(json.dumps(content, allow_nan=False))
        return
    print_wide(plan_text(content))
    if out is not None:
        click.echo(f"\nfiles: {out}\nreport: {out / PAGE}")
