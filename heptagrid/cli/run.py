"""`heptagrid run`: a scenario in both arms, or a stopped run brought to its end."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from heptagrid.cli.console import with_progress
from heptagrid.cli.options import EPILOG, run_options

if TYPE_CHECKING:
    from heptagrid.recording.results import Run


def _breaks(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, float]]:
    pairs = []
    for value in values:
        name, equals, loss = value.partition("=")
        try:
            pairs.append((name, float(loss) if equals else 1.0))
        except ValueError:
            raise click.BadParameter(f"{value!r}: write a class or class=loss, such as access or access=0.3") from None
    if len(dict(pairs)) < len(pairs):
        raise click.BadParameter("name each link class once")
    return pairs


@click.command(epilog=EPILOG)
@click.argument("scenario", default="town")
@run_options
@click.option(
    "--single",
    is_flag=False,
    flag_value="smart",
    metavar="[ARM]",
    help="Run one arm only: smart (default) or conventional.",
)
@click.option(
    "--break",
    "break_",
    multiple=True,
    callback=_breaks,
    metavar="CLASS[=LOSS]",
    help="Lose every message on a class of links (access, backhaul, wan), or each message on each such link with probability LOSS.",
)
@click.option(
    "--feeder",
    type=click.Path(path_type=Path),
    metavar="FILE.dss",
    help="Run on this feeder instead of the scenario's network: its loads become customers.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Processes to share the work (default: cores).")
@click.option(
    "--shards",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Carry the messages of a city's areas in N processes; to the same results.",
)
@click.option(
    "--cluster",
    is_flag=False,
    flag_value="auto",
    metavar="[ADDRESS]",
    help="Run the processes of --shards on the nodes of a Ray cluster: this machine's, or the one at ADDRESS (host:port).",
)
@click.option(
    "--keep-boundary",
    is_flag=True,
    help="Keep what comes to a city's areas from outside them, so that --areas can run some of them again.",
)
@click.option(
    "--areas",
    metavar="NAME,...",
    help="Run these areas of a city alone, with what came to them in the run of the whole at --boundary; to the same tables.",
)
@click.option(
    "--boundary",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The run of the whole city, with the same options and --keep-boundary.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/<name>-<time>)."
)
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
@click.option("--anyway", is_flag=True, help="Start a city though the memory or disk that it will take is not there.")
@click.option(
    "--checkpoint-every",
    "checkpoint_every_h",
    type=float,
    metavar="HOURS",
    help="Save each arm's state after so many simulated hours again, for --resume.",
)
@click.option(
    "--resume",
    "resumed",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Bring a run that was stopped or killed to its end, from its last checkpoints; with --threads, --shards and --json at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json and nothing else on standard output.")
def run(scenario: str, as_json: bool, single: str | None, resumed: Path | None, **options: Any) -> None:
    """Run SCENARIO (a built-in name or a TOML file; default: town) in both arms, and write the report.

    \b
    The conventional arm: yearly meter reading, flat tariff, local control; vehicles charge when plugged in.
    The smart arm: the same people, weather and devices, with meters that report, prices, and an aggregator.

    \b
    Examples:
      heptagrid run --start 2016-07-04 --days 3
      heptagrid run town --set vehicles.share=0.4 --set messages.access.rate_bps=5000
      heptagrid run --break access=0.3 --out /tmp/broken
      heptagrid run --feeder Master.dss --set vehicles.share=0.5
      heptagrid run --single conventional --json | jq .arms.conventional.loading
      heptagrid run --days 30 --checkpoint-every 24 --out month
      heptagrid run --resume month
      heptagrid run city --customers 50000 --keep-boundary --out whole
      heptagrid run city --customers 50000 --areas area-2,area-4 --boundary whole
    """
    areas, boundary = options.pop("areas"), options.pop("boundary")
    if areas is not None or boundary is not None:
        _run_areas(scenario, areas, boundary, single, options)
        return
    from heptagrid.scale.beside_arm import beside_arm

    # It imports what it needs while this process imports the rest.
    with beside_arm(1 if single and not options["typical"] else 2, options["threads"]):
        finished = _finished(scenario, single, resumed, options)
    if as_json:
        click.echo((finished.folder / "summary.json").read_text(encoding="utf-8"), nl=False)
    else:
        _print_summary(finished)
    if finished.partial:
        kept = options["out"] and finished.folder != options["out"]
        earlier = f"; {options['out']} keeps the earlier run" if kept else ""
        click.echo(f"stopped before its end; the results so far are in {finished.folder}{earlier}", err=True)
        if finished.manifest.get("checkpoint_every_h") is not None:
            click.echo(f"heptagrid run --resume {shlex.quote(str(finished.folder))} goes on from there", err=True)
        sys.exit(130)


def _run_areas(
    scenario: str, areas: str | None, boundary: Path | None, single: str | None, options: dict[str, Any]
) -> None:
    """Some areas by themselves; the folder of their tables is named on standard output."""
    from heptagrid.scale.areas import run_areas

    if areas is None or boundary is None:
        raise click.UsageError("--areas and --boundary belong together: which areas, and the run of the whole city")
    why = "--areas gives the tables of areas as the whole run has them"
    taken = ["days", "typical", "start", "step_s", "seed", "settings", "break_", "threads", "out", "force"]
    _refuse_beside(why, *taken, "scenario", "single", "areas", "boundary", "customers", "weather")
    names = [one.strip() for one in areas.split(",")]
    given = {name: options[name] for name in taken}
    folder = with_progress(lambda tick: run_areas(scenario, names, boundary, single=single, progress=tick, **given))
    click.echo(f"tables of {', '.join(names)}: {folder}")


def _finished(scenario: str, single: str | None, resumed: Path | None, options: dict[str, Any]) -> Run:
    import difflib

    from heptagrid.recording.results import open_run
    from heptagrid.scale import run as api
    from heptagrid.scenario.load import builtin_scenarios

    if single is not None and single not in ("smart", "conventional"):
        # `--single NAME` may have been meant as `--single` and a scenario.
        has_scenario = click.get_current_context().get_parameter_source("scenario") is ParameterSource.COMMANDLINE
        if has_scenario or (single not in builtin_scenarios() and not Path(single).exists()):
            near = difflib.get_close_matches(single, ("smart", "conventional"), 1)
            hint = f"did you mean {near[0]}?" if near else "write smart or conventional"
            nor = "" if has_scenario else " and no scenario of that name"
            raise click.BadParameter(f"there is no arm {single!r}{nor}; {hint}", param_hint="--single")
        scenario, single = single, "smart"
    if resumed is None:
        found: Run = with_progress(lambda tick: api.run(scenario, single=single, progress=tick, **options))
        return found
    _refuse_beside(
        "--resume goes on with the run as it was begun", "threads", "shards", "cluster", "as_json", "resumed"
    )
    if not open_run(resumed).partial:
        click.echo(f"{resumed}: this run is finished; nothing is left to do", err=True)
    share = {name: options[name] for name in ("threads", "shards", "cluster")}
    resumed_run: Run = with_progress(lambda tick: api.resume(resumed, progress=tick, **share))
    return resumed_run


def _refuse_beside(why: str, *allowed: str) -> None:
    """Refuse what is given on the command line beside an option that takes the place of it."""
    context = click.get_current_context()
    for parameter in context.command.params:
        is_given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if is_given and parameter.name not in allowed:
            what = parameter.opts[0] if isinstance(parameter, click.Option) else (parameter.name or "").upper()
            raise click.UsageError(f"{why}; leave {what} out")


def _print_summary(finished: Any) -> None:
    from rich.console import Console

    from heptagrid.report.terminal import summary

    Console(width=None if sys.stdout.isatty() else 100).print(summary(finished.summary, finished.manifest))
    links = finished.manifest.get("ledger_chain")
    if links:
        rows = f"{sum(link['rows'] for link in links):,}".replace(",", " ")
        click.echo(
            f"ledger: {rows} rows, head of its chain {links[-1]['hash'][:16]}; heptagrid audit looks at it again"
        )
    click.echo(f"\nreport: {finished.report}")
