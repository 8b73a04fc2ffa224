"""What several commands share of their options and of their help."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

EPILOG = """Exit codes: 0 done; 1 other trouble; 2 wrong usage; 3 scenario or input file; 4 network (an island, no convergence); 5 output
folder or disk; 6 a message that breaks its contract; 7 conservation law broken; 8 validation failed; 9 a market without an answer; 130 interrupted (what was computed is kept,
marked partial)."""


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which days are run, and how."""

    @wraps(command)
    def settled(
        *given: Any, settings: tuple[str, ...], customers: int | None, weather: Path | None, **others: Any
    ) -> Any:
        of_city = () if customers is None else (f"city.customers={customers}",)
        of_weather = () if weather is None else (f"weather.file={json.dumps(str(weather))}",)
        return command(*given, settings=(*settings, *of_city, *of_weather), **others)

    with_options: Callable[..., Any] = settled
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
                "--customers",
                type=click.IntRange(1),
                metavar="N",
                help="Run on a city with so many customers, made from a seed (section city).",
            ),
            click.option(
                "--weather",
                type=click.Path(path_type=Path),
                metavar="FILE.epw",
                help="Run under the weather of an EnergyPlus file; photovoltaic units give what its sun does.",
            ),
            click.option(
                "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a key, such as vehicles.share=0.4."
            ),
        )
    ):
        with_options = option(with_options)
    return with_options
