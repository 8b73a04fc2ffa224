"""`heptagrid carry`: the message plane alone."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.console import with_progress
from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("network", type=click.Path(path_type=Path))
@click.argument("traffic", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DELIVERED.csv", help="Write what became of each message."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Seed of all random numbers."
)
@click.option(
    "--svg",
    type=click.Path(path_type=Path),
    metavar="MAP.svg",
    help="Draw the network: nodes, links, media, and uncovered nodes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON and nothing else on standard output.")
def carry(network: Path, traffic: Path, out: Path | None, seed: int, svg: Path | None, as_json: bool) -> None:
    """Carry the messages of TRAFFIC.csv over NETWORK.toml: the message plane alone, exact to the nanosecond.

    \b
    NETWORK.toml:
      [[node]]    name, x_m, y_m
      [[link]]    from, to (one direction), technology or rate_bps, delay_s, loss, retries, priorities, queue_packets
      [[medium]]  members, technology or access = "csma" | "csma-ca" | "aloha" | ... and the same
      [[outage]]  node (or link; or from, to), begin_s, end_s
      [[group]]   name, members (several destinations of one row)
      [[route]]   at, to, next (a static route)
    TRAFFIC.csv:  sent_s, source, destination, bytes, and optionally kind, priority (0 is the most urgent);
                  of rows that depend on others: name, answers, think_s, ack_timeout_s, retries, ack_bytes, uplink_timeout_s
    DELIVERED.csv: the same rows, with delivered_s, status and hops
    docs/carry.md explains every key and column.

    \b
    Example:
      heptagrid carry network.toml traffic.csv --out delivered.csv --svg map.svg
    """
    import json

    from heptagrid.foundation.output_file import refuse_overwriting
    from heptagrid.report.communication_map import write_communication_map
    from heptagrid.studies.carry import api
    from heptagrid.studies.carry.layout import layout

    refuse_overwriting([network, traffic], [out, svg])
    carried = with_progress(lambda tick: api.carry(network, traffic, out, seed=seed, progress=tick))
    summary = carried.summary()
    if svg is not None:
        write_communication_map(svg, layout(carried.network, carried.uncovered), network.stem)
    if as_json:
        click.echo(json.dumps(summary))
        return
    for name, value in summary.items():
        if isinstance(value, list):
            value = (
                ", ".join(map(repr, value[:20])) + (f" and {len(value) - 20} more" if len(value) > 20 else "") or None
            )
        click.echo(f"{name:15} {'-' if value is None else f'{value:.9g}' if isinstance(value, float) else value}")
    written = [f"{name}: {path}" for name, path in (("deliveries", out), ("map", svg)) if path is not None]
    if written:
        click.echo("\n".join(["", *written]))
