"""Taxes: a share of the sum of the lines that have the tax, rounded once (EN 16931, rule BR-CO-17), never line by line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tax:
    """share: of the taxed lines' sum. rules: which kinds of charge are taxed by it (none given: all that no other tax names)."""

    name: str
    share: float
    rules: tuple[str, ...] = ()


def tax_of(rule: str, taxes: tuple[Tax, ...]) -> int:
    """Which of the taxes a kind of charge has, -1 for none: the one that names it, else the one for all."""
    for k, one in enumerate(taxes):
        if rule in one.rules:
            return k
    for k, one in enumerate(taxes):
        if not one.rules:
            return k
    return -1
