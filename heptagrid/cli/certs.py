"""`heptagrid certs`: certificates for a live grid and its peers."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.options import EPILOG


@click.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="NAME[,NAME]",
    help="A server by its names: hosts and addresses (default, if nothing else is asked for: server for localhost).",
)
@click.option("--client", "clients", multiple=True, metavar="NAME", help="A client.")
@click.option("--station", "stations", multiple=True, metavar="ID", help="An OCPP charging station by its identity.")
@click.option("--ieee2030-5", "is_2030_5", is_flag=True, help="Servers and clients as IEEE 2030.5 wants them.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, metavar="N", help="How long they are valid."
)
@click.option("--force", is_flag=True, help="Replace certificates that are there; the authority stays.")
def certs(
    folder: Path,
    servers: tuple[str, ...],
    clients: tuple[str, ...],
    stations: tuple[str, ...],
    is_2030_5: bool,
    days: int,
    force: bool,
) -> None:
    """Write certificates into FOLDER: an authority on the curve P-256, made at first, and what it signs.

    \b
    Examples:
      heptagrid certs keys
      heptagrid certs keys --server grid.example,192.0.2.7 --client head-end
      heptagrid certs keys --station CP-17 --station CP-18
      heptagrid certs keys --client DER-1 --ieee2030-5
    """
    from heptagrid.live.certificates import Authority, Leaf

    if not (servers or clients or stations):
        servers = ("localhost,127.0.0.1,::1",)
    leaves = []
    for given in servers:
        name, *also = (one.strip() for one in given.split(","))
        leaves.append(Leaf(name, "server", tuple(also), is_2030_5))
    leaves += [Leaf(name, "client", (), is_2030_5) for name in clients]
    leaves += [Leaf(name, "station") for name in stations]
    authority = Authority.of(folder)
    click.echo(f"authority: {folder / 'ca.pem'}")
    for leaf in leaves:
        written = authority.sign(leaf, days, force=force)
        click.echo(f"{leaf.purpose} {leaf.name}: {written.certificate}, {written.key}")
        if leaf.is_2030_5:
            click.echo(f"  LFDI {written.lfdi}  SFDI {written.sfdi}")
