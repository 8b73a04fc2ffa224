"""`heptagrid serve`: the grid live, on the wall clock."""

from __future__ import annotations

from pathlib import Path

import click

from heptagrid.cli.options import EPILOG


def _speed(_: click.Context, __: click.Parameter, value: str) -> float | None:
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 100_000.0:
        raise click.BadParameter(
            f"{value!r}: write how many simulated seconds pass in one, from 0.01 to 100000, or max"
        )
    return speed


def _protocols(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, int | None] | None:
    if value is None:
        return None
    found: dict[str, int | None] = {}
    for one in filter(None, (part.strip() for part in value.split(","))):
        name, equals, port = one.partition("=")
        if equals and not (port.isdecimal() and 0 <= int(port) < 65536):
            raise click.BadParameter(f"{one!r}: write a protocol, or a protocol and its port, such as modbus=1502")
        found[name] = int(port) if equals else None
    return {} if value.strip() == "none" else found


@click.command(epilog=EPILOG)
@click.argument("scenario", default="town")
@click.option(
    "--speed",
    default="1",
    callback=_speed,
    metavar="X",
    help="Simulated seconds in one of the wall clock: 1, 60, ... or max.",
)
@click.option(
    "--at", metavar="WHEN", help="Begin then, such as 18:30 or 2016-07-04T18:30 (default: now, in the data's year)."
)
@click.option(
    "--protocols",
    "ports",
    callback=_protocols,
    metavar="LIST",
    help="Protocols with or without a port, such as modbus,ocpp=9000; none for the interface alone (default: all that are installed).",
)
@click.option(
    "--listen", default="127.0.0.1", metavar="ADDRESS", show_default=True, help="Address on which it listens."
)
@click.option(
    "--http",
    "http_port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    metavar="PORT",
    help="Port of the control room and the interface; 0 takes a free one.",
)
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="Name under which it is reached, beside its address."
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Tokens that the interface asks for, one a line (default beyond this machine: one is made and shown).",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), metavar="FILE", help="Certificate of the server (PEM).")
@click.option("--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="Its key (PEM).")
@click.option(
    "--tls-ca", type=click.Path(path_type=Path), metavar="FILE", help="Authority of the protocols' clients: mutual TLS."
)
@click.option(
    "--expose",
    metavar="LIST",
    default="",
    help="Protocols without authentication that listen beyond this machine all the same.",
)
@click.option(
    "--network",
    type=click.Choice(["modelled", "ideal"]),
    default="modelled",
    show_default=True,
    help="Whether frames cross the scenario's communication network.",
)
@click.option("--paused", is_flag=True, help="Time stands still until a client lets it go (lock-step, for tests).")
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=28,
    show_default=True,
    metavar="N",
    help="Local days after which it ends by itself.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key, such as vehicles.share=0.4.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/<name>-live-<time>)."
)
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
def serve(
    scenario: str,
    speed: float | None,
    at: str | None,
    ports: dict[str, int | None] | None,
    listen: str,
    http_port: int,
    names: tuple[str, ...],
    token_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_ca: Path | None,
    expose: str,
    network: str,
    paused: bool,
    days: int,
    settings: tuple[str, ...],
    out: Path | None,
    force: bool,
) -> None:
    """Serve SCENARIO (a built-in name or a TOML file; default: town) live: the smart arm on the wall clock, over real protocols.

    Other programs meet its devices on real ports; what they say crosses the scenario's communication network, with its delays and losses. A page in the
    browser is the control room. Ctrl-C ends it and writes the folder of a run, which trace and explain read.

    \b
    Protocols and their ports, beside those of other packages:
      c37118      4712  IEEE C37.118, phasor measurement units
      dlms        4059  DLMS/COSEM, meters
      dnp3       20000  DNP3, substations and plants
      iec104      2404  IEC 60870-5-104, substations and plants
      mms        10102  IEC 61850 MMS, substations and plants
      modbus      1502  Modbus TCP and SunSpec, devices and meters
      mqtt        1883  MQTT and Sparkplug B, all devices
      ocpp        9000  OCPP 1.6J and 2.0.1, charge points
      openadr     8180  OpenADR 3.1 and 3.0.1, retailer and aggregator
      openadr20b  8181  OpenADR 2.0b, retailer and aggregator
      sep2        8443  IEEE 2030.5, a utility's server

    \b
    Examples:
      heptagrid serve
      heptagrid serve --speed 60 --at 2016-07-04T06:00
      heptagrid serve --protocols modbus=1502,ocpp --network ideal
      heptagrid serve --paused --protocols none --http 8080
    """
    from heptagrid.live.access import AccessFiles
    from heptagrid.live.serve import Options
    from heptagrid.live.serve import serve as api

    options = Options(
        speed=speed,
        at=at,
        ports=ports,
        listen=listen,
        http_port=http_port,
        access=AccessFiles(listen, names, token_file, tls_cert, tls_key, tls_ca),
        exposed=tuple(filter(None, (one.strip() for one in expose.split(",")))),
        out=out,
        force=force,
        paused=paused,
        is_ideal=network == "ideal",
        days=days,
    )
    finished = api(scenario, options, settings, lambda line: click.echo(line))
    click.echo(f"report: {finished.report}")
