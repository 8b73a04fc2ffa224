"""`heptagrid scenarios`: the built-in scenarios."""

from __future__ import annotations

import click


@click.command()
def scenarios() -> None:
    """List the built-in scenarios."""
    from heptagrid.scenario.load import builtin_scenarios

    for name, description in builtin_scenarios().items():
        click.echo(f"{name:14} {description}")
