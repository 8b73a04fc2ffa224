"""A cleared market in a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heptagrid.planes.money.formulations.program import OPTIMAL
from heptagrid.studies.clear.api import Clearing

_MOST = 10  # rows of a kind that are printed; the files have all


def clear_text(found: Clearing) -> str:
    """What was cleared and how, what it costs, the extremes of its prices, and what binds."""
    outcome, certificate = found.outcome, found.outcome.certificate
    took = f"{outcome.seconds:.1f} s" if outcome.seconds >= 1.0 else f"{1e3 * outcome.seconds:.3g} ms"
    lines = [f"{found.source}: {found.format}", f"{found.market.words}: {took}", ""]
    if outcome.total_cost is not None:
        lines.append(f"{'total cost':18} {outcome.total_cost:18,.4f}")
    figures = dict(outcome.figures)
    bound, gap = figures.pop("bound", None), figures.pop("gap", None)
    if certificate is not None:
        bound, gap = certificate.bound, certificate.gap
    if isinstance(bound, float) and isinstance(gap, float):
        wide = "" if outcome.status == OPTIMAL else f"   {outcome.status} before the gap was as narrow as asked for"
        lines.append(f"{'no less than':18} {bound:18,.4f}   gap {gap:.1e}{wide}")
    for name, value in figures.items():
        if isinstance(value, float):
            lines.append(f"{name.replace('_', ' '):18} {value:18,.4f}")
        elif isinstance(value, int):
            lines.append(f"{name.replace('_', ' '):18} {value:18,d}")
    lines += ["", *_prices(found)]
    return "\n".join([*lines, *_binding(found)])


def _prices(found: Clearing) -> list[str]:
    columns = dict(found.outcome.prices)
    values = np.asarray(columns["price"], dtype=np.float64)
    if not np.isfinite(values).any():
        return ["no price"]
    words = list(columns)[: list(columns).index("price")]

    def place(k: int) -> str:
        return ", ".join(f"{word} {columns[word][k]}" for word in words)

    if len(values) <= _MOST:
        return [f"price {value:12,.4f}   {place(k)}" for k, value in enumerate(values)]
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    return [f"{word} price {values[k]:12,.4f} at {place(k)}" for word, k in (("lowest", low), ("highest", high))]


def _binding(found: Clearing) -> list[str]:
    branches = found.outcome.branches
    if not branches:
        return []
    shadow = np.asarray(branches["shadow_price"], dtype=np.float64)
    order = np.argsort(-np.abs(shadow), kind="stable")
    binding: Sequence[int] = [int(k) for k in order if abs(shadow[k]) > 1e-6]
    lines = [
        f"branch {branches['branch'][k]} ({branches['from_bus'][k]} to {branches['to_bus'][k]}) carries {branches['flow_mw'][k]:,.3f} MW, "
        f"its limit; one more is worth {abs(shadow[k]):,.4f}"
        for k in binding[:_MOST]
    ]
    more = [f"and {len(binding) - _MOST} more branches at their limits"] if len(binding) > _MOST else []
    return [*([""] if lines else []), *lines, *more]
