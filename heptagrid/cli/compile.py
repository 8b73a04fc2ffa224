"""`heptagrid compile`: the kernels compiled ahead."""

from __future__ import annotations

import os

import click


@click.command()
def compile() -> None:
    """Compile the kernels now, so that no later run has to."""
    from heptagrid.simulation.precompile import compile_kernels

    click.echo(f"compiled the kernels in {compile_kernels():.0f} s ({os.cpu_count()} cores)")
