"""The command line: parses, calls the engine, prints. No logic."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

EPILOG = """Exit codes: 0 done; 1 other trouble; 2 wrong usage; 3 scenario or input file; 4 network (an island, no convergence); 5 output
folder or disk; 6 a message that policy forbids; 7 conservation law broken; 8 validation failed; 130 interrupted (what was computed is kept,
marked partial)."""


@contextmanager
def _interrupted_in_a_line() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("heptagrid: interrupted", err=True)
        exec(
            ""
        )  # numba executes text: an interrupt there makes Python end by a signal, until the next text is executed
        sys.exit(130)


class _Errors(click.Group):
    """Turns heptagrid's errors into a sentence and an exit code; lists its commands with their whole first sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command and its first sentence, on as many lines as it takes."""
        rows = [(name, one.get_short_help_str(limit=1000)) for name, one in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(self, *args: Any, **options: Any) -> Any:
        with _interrupted_in_a_line():
            from heptagrid.foundation.standard_streams import prepare_streams

            prepare_streams()
            return super().main(*args, **options)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with _interrupted_in_a_line():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _interrupted_in_a_line():
            return self._invoke(ctx)

    def _invoke(self, ctx: click.Context) -> Any:
        from heptagrid.foundation.errors import HeptagridError
        from heptagrid.foundation.interrupts import noted_interrupts
        from heptagrid.foundation.results_folder import remedy
        from heptagrid.foundation.standard_streams import output_refused

        with noted_interrupts() as interrupts:
            try:
                return super().invoke(ctx)
            except (click.ClickException, click.exceptions.Exit, SystemExit):
                raise
            except BaseException as problem:
                if interrupts.count or isinstance(problem, KeyboardInterrupt):
                    raise KeyboardInterrupt from problem
                if isinstance(problem, HeptagridError):
                    said, code = str(problem), problem.exit_code
                elif isinstance(problem, MemoryError):
                    said, code = f"there is not enough memory{': ' if str(problem) else ''}{problem}", 1
                elif not isinstance(problem, OSError) or problem.errno == errno.EPIPE:
                    raise
                elif problem.filename is None and output_refused():
                    said = f"standard output cannot be written: {problem.strerror}; what was to be written to files is there"
                    code = 5
                else:
                    where = f" ({problem.filename})" if problem.filename else ""
                    said, code = f"{problem.strerror or problem}{where}. {remedy(problem)}", 5
        click.echo(f"heptagrid: {said}", err=True)
        ctx.exit(code)


@click.group(cls=_Errors, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="heptagrid")
def main() -> None:
    """A whole smart grid: power flow, every message and every cent under one clock.

    \b
    Start here:
      heptagrid run                        the town for a day, with and without the smart grid
      heptagrid run --break access         the same without the access network: what was it worth?
      heptagrid run --typical              twelve typical days: does it pay, and for whom?
      heptagrid inspect Master.dss         what your own feeder contains: counts, shape, a map
      heptagrid flow Master.dss            its voltages, currents and losses, once
      heptagrid run --feeder Master.dss    the whole grid on it, with and without the smart grid
      heptagrid sweep --vary break.access=0:1:0.25
                                           how the results depend on lost messages, as curves
      heptagrid compare town mytown.toml   two scenarios side by side: who gains, who loses?
      heptagrid new mytown                 writes mytown.toml to edit; then: heptagrid run mytown.toml
      heptagrid trace RUN --list           list messages of a run; heptagrid trace RUN N follows one
      heptagrid explain RUN --bill 17      customer 17's bill, line by line, with its causes
      heptagrid validate                   compares with published cases and other programs

    Every run, sweep and comparison writes a folder with a page (report.html, sweep.html or compare.html). An arm is one of the two runs of the same days: conventional or smart.
    """


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


def _of_a_run(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which days are run, and how."""
    for option in reversed(
        (
            click.option(
                "--days", type=click.IntRange(1), metavar="N", help="Consecutive local days (default: the scenario's)."
            ),
            click.option(
                "--typical", is_flag=True, help="Run the scenario's typical days instead; money is then per year."
            ),
            click.option("--start", metavar="DATE", help="First local day, such as 2016-07-04."),
            click.option(
                "--step", "step_s", type=int, metavar="S", help="Coupling step in seconds; divides 900 (default 60)."
            ),
            click.option(
                "--seed", type=click.IntRange(0), help="Seed of all random numbers (default: the scenario's)."
            ),
            click.option(
                "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key, such as vehicles.share=0.4."
            ),
        )
    ):
        command = option(command)
    return command


@main.command(epilog=EPILOG)
@click.argument("scenario", default="town")
@_of_a_run
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
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/<name>-<time>)."
)
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
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
    help="Bring a run that was stopped or killed to its end, from its last checkpoints; with --threads and --json at most.",
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
    """
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
        finished = _with_progress(lambda tick: api.run(scenario, single=single, progress=tick, **options))
    else:
        _refuse_beside("--resume", "threads", "as_json", "resumed")
        if not open_run(resumed).partial:
            click.echo(f"{resumed}: this run is finished; nothing is left to do", err=True)
        finished = _with_progress(lambda tick: api.resume(resumed, threads=options["threads"], progress=tick))
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


def _refuse_beside(name: str, *allowed: str) -> None:
    """Refuse what is given on the command line beside an option that takes the place of it."""
    context = click.get_current_context()
    for parameter in context.command.params:
        is_given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if is_given and parameter.name not in allowed:
            what = parameter.opts[0] if isinstance(parameter, click.Option) else (parameter.name or "").upper()
            raise click.UsageError(f"{name} goes on with the run as it was begun; leave {what} out")


def _with_progress(work: Callable[[Any], Any]) -> Any:
    """Do the work with a progress bar on standard error, if that is a terminal; remarks go there too."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with (
        warnings.catch_warnings(),
        _told(),
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_: click.echo(f"note: {message}", err=True)
        task = bar.add_task("running", total=None)
        return work(lambda done, total: bar.update(task, completed=done, total=total))


@contextmanager
def _told() -> Iterator[None]:
    """What heptagrid says of its own work, that it compiles kernels, goes to standard error."""
    import logging

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            click.echo(f"note: {record.getMessage()}", err=True)

    log, told = logging.getLogger("heptagrid"), Told(logging.INFO)
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(told)
    try:
        yield
    finally:
        log.removeHandler(told)
        log.setLevel(before)


def _print_summary(finished: Any) -> None:
    from rich.console import Console

    from heptagrid.report.terminal import summary

    Console(width=None if sys.stdout.isatty() else 100).print(summary(finished.summary, finished.manifest))
    click.echo(f"\nreport: {finished.report}")


@main.command(epilog=EPILOG)
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
    carried = _with_progress(lambda tick: api.carry(network, traffic, out, seed=seed, progress=tick))
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


@main.command(epilog=EPILOG)
@click.argument("source", metavar="FILE")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Write node, phase, v_pu and angle_deg of each node.",
)
@click.option(
    "--branches",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Write currents, powers and losses of each branch.",
)
@click.option(
    "--controls",
    type=click.Choice(["on", "off"]),
    default="on",
    show_default=True,
    help="on: regulators and capacitor controls act. off: they stay as the file leaves them.",
)
@click.option(
    "--q-limits",
    is_flag=True,
    help="Generators keep their reactive limits, and at a limit no longer hold their voltage.",
)
@click.option("--ignore", multiple=True, metavar="KIND", help="Leave out a kind of element that cannot be represented.")
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON and nothing else on standard output.")
def flow(source: str, out: Path | None, branches: Path | None, controls: str, as_json: bool, **options: Any) -> None:
    """Solve the network in FILE once: the power plane alone, voltages and flows of one snapshot.

    \b
    FILE is one of
      case.m             a MATPOWER case
      net.json           a pandapower network
      Master.dss         an OpenDSS script
      1-MV-urban--0-sw   a SimBench code

    What has no effect on a snapshot is listed on standard error. Anything else that cannot be represented stops the command, element by
    element.

    \b
    Examples:
      heptagrid flow case118.m --out voltages.csv --branches flows.csv
      heptagrid flow case300.m --q-limits --json
      heptagrid flow Master.dss --controls off --out voltages.csv
    """
    import json

    from heptagrid.report.flow import flow_text
    from heptagrid.studies.flow import api

    with _told():
        found = api.flow(source, out, branches, controls=controls == "on", **options)
    for remark in found.remarks:
        click.echo(f"note: {remark}", err=True)
    if as_json:
        click.echo(json.dumps(found.summary(), allow_nan=False))
    found.check()
    if not as_json:
        click.echo(flow_text(found))
        written = [f"{name}: {path}" for name, path in (("nodes", out), ("branches", branches)) if path is not None]
        if written:
            click.echo("\n".join(["", *written]))


@main.command(epilog=EPILOG)
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


@main.command(epilog=EPILOG)
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@click.option("--live", is_flag=True, help="Also run the other programs again, where they are installed.")
@click.option("--list", "as_list", is_flag=True, help="List the cases and their sources; run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON and nothing else on standard output.")
def validate(cases: tuple[str, ...], live: bool, as_list: bool, as_json: bool) -> None:
    """Compare heptagrid with published cases and with recorded answers of other programs.

    CASE is a case's name, the beginning of one, a pattern, or a plane (power, messages, money, grid); default: all.

    \b
    Verdicts:
      pass      within the tolerance
      fail      an exact case beyond its tolerance, or one that stopped with an error; exit code 8
      outside   outside a published band; no error
      not run   could not be compared here, with the reason; never counted as passed

    \b
    Examples:
      heptagrid validate power --live
      heptagrid validate "baran-wu-*" --json
    """
    from heptagrid.validate import registry, rows, table

    chosen = registry.choose(cases, registry.all_cases())
    if as_list:
        _print_wide(table.listing(chosen))
        return
    found = _with_progress(lambda tick: rows.run_cases(chosen, live, tick))
    if as_json:
        for row in found:
            if row.reason:
                click.echo(f"note: {row.name}: {row.verdict}: {row.reason}", err=True)
        click.echo(table.as_json(found))
    else:
        _print_wide(table.table(found))
    table.check(found)


def _print_wide(renderable: Any) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 140).print(renderable)


@main.command(epilog=EPILOG)
@click.argument("scenario", default="town")
@click.option(
    "--vary",
    multiple=True,
    metavar="KEY=VALUES",
    help="Vary a key: first:last:step, or values separated by commas. Several --vary give all combinations.",
)
@click.option("--seeds", type=click.IntRange(1), default=1, metavar="N", help="Seeds per point (default: 1).")
@_of_a_run
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes to share the work (default: cores).")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/<name>-sweep-<time>)."
)
@click.option("--force", is_flag=True, help="Replace another sweep that the folder holds.")
@click.option("--keep-runs", is_flag=True, help="Keep the results folder of every arm.")
@click.option("--json", "as_json", is_flag=True, help="Print sweep.json and nothing else on standard output.")
def sweep(scenario: str, as_json: bool, **options: Any) -> None:
    """Run SCENARIO with one or more keys varied, and draw how the results depend on them.

    Keys are those of a scenario, and break.access, break.backhaul, break.wan: the probability that a message is
    lost on a link of that class. All points share their seeds. To continue a sweep that was stopped, repeat the command with its --out.

    \b
    Examples:
      heptagrid sweep --vary break.access=0:1:0.25 --out access
      heptagrid sweep town --vary messages.access.loss=0:0.9:0.1 --seeds 3 --step 300
      heptagrid sweep --vary vehicles.share=0.1,0.4 --vary gateways.enrolled_share=0:1:0.5 --typical
    """
    from heptagrid.scale.sweep import sweep as sweep_scenario

    finished = _with_progress(lambda tick: sweep_scenario(scenario, progress=tick, **options))
    if finished.partial:
        words = sys.argv[1:] if options["out"] else [*sys.argv[1:], "--out", str(finished.folder)]
        click.echo(
            f"heptagrid: interrupted; {finished.arms_done} of {finished.arms} arms are done and kept in {finished.folder}. "
            f"To go on: heptagrid {shlex.join(words)}",
            err=True,
        )
        sys.exit(130)
    if as_json:
        click.echo((finished.folder / "sweep.json").read_text(encoding="utf-8"), nl=False)
    else:
        from heptagrid.report.studies_terminal import sweep_summary

        _print_wide(sweep_summary(finished.content))
        click.echo(f"\n{len(finished.content['points'])} points, {finished.arms} arms\nreport: {finished.report}")


@main.command(epilog=EPILOG)
@click.argument("sources", nargs=-1, required=True, metavar="A B [C...]")
@_of_a_run
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Processes to share the work (default: cores).")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Results folder (default: runs/compare-<time>)."
)
@click.option("--force", is_flag=True, help="Replace the comparison that the folder holds.")
@click.option("--json", "as_json", is_flag=True, help="Print compare.json and nothing else on standard output.")
def compare(sources: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Compare B, C... with A: figures side by side, who gains, who loses.

    Each of A, B, C... is the folder of a run, or a scenario (a built-in name or a TOML file), which is then run.

    \b
    Examples:
      heptagrid compare town mytown.toml
      heptagrid compare runs/before runs/after --out verdict
    """
    from heptagrid.scale.compare import compare as compare_runs

    finished = _with_progress(lambda tick: compare_runs(*sources, progress=tick, **options))
    if finished.partial:
        click.echo(f"heptagrid: interrupted; the finished runs are in {finished.folder}", err=True)
        sys.exit(130)
    if as_json:
        click.echo((finished.folder / "compare.json").read_text(encoding="utf-8"), nl=False)
    else:
        from heptagrid.report.studies_terminal import compare_summary

        _print_wide(compare_summary(finished.content))
        click.echo(f"\n{len(finished.runs)} runs\nreport: {finished.report}")


@main.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("message", type=int, required=False)
@click.option("--arm", metavar="ARM", help="Which arm of the run (default: smart, or the only one).")
@click.option("--day", metavar="DATE", help="Which of the typical days (--typical); default: the first.")
@click.option("--list", "as_list", is_flag=True, help="List messages and their numbers instead.")
@click.option("--kind", metavar="KIND", help="List one kind: meter_reading, price, setpoint, bill, telemetry, ...")
@click.option("--customer", type=int, metavar="N", help="List messages from and to customer N's gateway.")
@click.option("--lost", is_flag=True, help="List lost messages only.")
@click.option("--from", "since", metavar="TIME", help="List from a local time on, such as 18:00 or 2016-01-26T12:00.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="List at most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def trace(run: Path, message: int | None, as_list: bool, as_json: bool, **options: Any) -> None:
    """Follow message MESSAGE of RUN (a results folder): every hop, its causes, its consequences.

    The arm is run again, the same to the last bit, up to that message. A message's number is the same in every run.

    \b
    Examples:
      heptagrid trace runs/mine --list --kind setpoint --customer 17 --from 18:00
      heptagrid trace runs/mine --list --lost
      heptagrid trace runs/mine 1449700
    """
    import json

    from heptagrid.inquiry import trace as tracing
    from heptagrid.report.message_words import list_text, message_text

    arm, day = options.pop("arm"), options.pop("day")
    if as_list == (message is not None):
        raise click.UsageError("name one MESSAGE, or ask for a --list")
    if as_list:
        found = _with_progress(lambda tick: tracing.list_messages(run, **options, arm=arm, day=day, progress=tick))
    else:
        found = _with_progress(lambda tick: tracing.trace(run, message, arm, day, tick))  # type: ignore[arg-type]
    click.echo(json.dumps(found, allow_nan=False) if as_json else (list_text if as_list else message_text)(found))


@main.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--bill", "customer", type=int, required=True, metavar="CUSTOMER", help="Explain this customer's bill.")
@click.option("--day", metavar="DATE", help="The day of the bill (default: the day with the largest amount).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else on standard output.")
def explain(run: Path, customer: int, day: str | None, as_json: bool) -> None:
    """Explain a customer's bill in RUN (a results folder): every line and its causes.

    Of the price: its message, when that arrived, and the market's result, bid and forecast. Of flexibility: the
    set-points. Of the dearest hour: voltage and loading in the customer's part of the network.

    \b
    Example:
      heptagrid explain runs/mine --bill 17
    """
    import json

    from heptagrid.inquiry.explain import explain as explained
    from heptagrid.report.bill_words import bill_text

    found = _with_progress(lambda tick: explained(run, customer, day, tick))
    click.echo(json.dumps(found, allow_nan=False) if as_json else bill_text(found))


@main.command()
def scenarios() -> None:
    """List the built-in scenarios."""
    from heptagrid.scenario.load import builtin_scenarios

    for name, description in builtin_scenarios().items():
        click.echo(f"{name:14} {description}")


@main.command()
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


@main.command("compile")
def compile_() -> None:
    """Compile the kernels now, so that no later run has to."""
    from heptagrid.simulation.precompile import compile_kernels

    click.echo(f"compiled the kernels in {compile_kernels():.0f} s ({os.cpu_count()} cores)")
