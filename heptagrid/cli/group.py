"""The group of all commands: it imports the one that is called, and turns errors into a sentence and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from heptagrid.cli.options import EPILOG

COMMANDS = {
    "audit": "Audit RUN (a results folder): its files, the chain of its ledger, and that every cent balances.",
    "bill": "Bill a meter's readings by a rate, month by month, or show a customer's bill of a run.",
    "carry": "Carry the messages of TRAFFIC.csv over NETWORK.toml: the message plane alone, exact to the nanosecond.",
    "certs": "Write certificates into FOLDER: an authority on the curve P-256, made at first, and what it signs.",
    "clear": "Clear the market in FILE: the money plane alone, quantities and prices of offers on a network, or of bids.",
    "compare": "Compare B, C... with A: figures side by side, who gains, who loses.",
    "compile": "Compile the kernels now, so that no later run has to.",
    "curve": "Print a curve of RUN (a results folder) by quarter hour as CSV.",
    "explain": "Explain a customer's bill in RUN (a results folder): every line and its causes.",
    "federate": "Let SCENARIO take part in a HELICS co-simulation, with the values that LINKS.toml names.",
    "flow": "Solve the network in FILE once: the power plane alone, voltages and flows of one snapshot.",
    "inspect": "Describe the network in FILE: counts, totals, voltage levels, shape, its solver and the reason for it, and a map.",
    "new": "Write NAME.toml, a scenario with every key, its default, unit, range and source as comments.",
    "plan": "Plan the sites of an access network for SCENARIO: how many, where, at what cost, and which meters none reaches.",
    "replay": "Replay FOLDER (of a live run): the same day again from its journal, without the outside, and say whether it is the same to the last bit.",
    "run": "Run SCENARIO (a built-in name or a TOML file; default: town) in both arms, and write the report.",
    "scenarios": "List the built-in scenarios.",
    "serve": "Serve SCENARIO (a built-in name or a TOML file; default: town) live: the smart arm on the wall clock, over real protocols.",
    "sweep": "Run SCENARIO with one or more keys varied, and draw how the results depend on them.",
    "trace": "Follow message MESSAGE of RUN (a results folder): every hop, its causes, its consequences.",
    "validate": "Compare heptagrid with published cases and with recorded answers of other programs.",
}
"""Each command and the first sentence of its help, which `heptagrid --help` shows without importing any; NAME is the function of that name in NAME.py."""


@contextmanager
def _interrupted_in_a_line() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("heptagrid: interrupted", err=True)
        # numba executes text: an interrupt there makes Python end by a signal, until the next text is executed.
        exec("")
        sys.exit(130)


class _Imported(MutableMapping[str, click.Command]):
    """The commands by their names; the module of each is imported when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in COMMANDS:
            raise KeyError(name)
        command = getattr(import_module(f"heptagrid.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError("a command is a file in heptagrid/cli and a name in group.py")

    def __delitem__(self, name: str) -> None:
        raise TypeError("a command is a file in heptagrid/cli and a name in group.py")


class _Commands(click.Group):
    """Turns heptagrid's errors into a sentence and an exit code; lists its commands with their whole first sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command and its first sentence, on as many lines as it takes."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def main(self, *args: Any, **options: Any) -> Any:
        with _interrupted_in_a_line():
            from heptagrid.foundation.garbage import collect_rarely
            from heptagrid.foundation.standard_streams import prepare_streams

            collect_rarely()
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


@click.group(
    cls=_Commands, commands=_Imported(), epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
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
      heptagrid clear case118.m            its cheapest dispatch, and a price at every bus
      heptagrid run --feeder Master.dss    the whole grid on it, with and without the smart grid
      heptagrid sweep --vary break.access=0:1:0.25
                                           how the results depend on lost messages, as curves
      heptagrid compare town mytown.toml   two scenarios side by side: who gains, who loses?
      heptagrid new mytown                 writes mytown.toml to edit; then: heptagrid run mytown.toml
      heptagrid trace RUN --list           list messages of a run; heptagrid trace RUN N follows one
      heptagrid explain RUN --bill 17      customer 17's bill, line by line, with its causes
      heptagrid bill --tariff rate.json --meter readings.csv
                                           a year's readings billed by a rate, month by month
      heptagrid serve                      the town on the wall clock, with real protocols on localhost
      heptagrid validate                   compares with published cases and other programs

    Every run, sweep and comparison writes a folder with a page (report.html, sweep.html or compare.html). An arm is one of the two runs of the same days: conventional or smart.
    """
