"""A cleared market in a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heptagrid.studies.clear.api import Clearing

_MOST = 10  # rows of a kind that are printed; the files have all


def clear_text(found: Clearing) -> str:
    """What was cleared and how, what it costs, the extremes of its prices, and what binds."""
    outcome, certificate = found.outcome, found.outcome.certificate
    took = f"{outcome.seconds:.1f} s" if outcome.seconds >= 1.0 else f"{1e3 * outcome.seconds:.3g} ms"
    lines = [f"{found.source}: {found.format}", f"{found.market.words}: {took}", ""]
    if outcome.total_cost is not None:
        lines.append(f"{'total cost':18} {outcome.total_cost:18,.4f}")
    if certificate is not None:
        lines.append(f"{'no less than':18} {certificate.bound:18,.4f}   gap {certificate.gap:.1e}")
    for name, value in outcome.figures.items():
        if isinstance(value, float):
            lines.append(f"{name.replace('_', ' '):18} {value:18,.4f}")
        elif isinstance(value, int):
            lines.append(f"{name.replace('_', ' '):18} {value:18,d}")
    lines += ["", *_prices(found)]
    return "\n".join([*lines, *_binding(found)])


def _prices(found: Clearing) -> list[str]:
    (kind, names), (_, price) = list(found.outcome.prices.items())[:2]
    values = np.asarray(price, dtype=np.float64)
    if not np.isfinite(values).any():
        return ["no price"]
    if len(values) <= _MOST:
        return [f"price {value:12,.4f}   {kind} {name}" for name, value in zip(names, values, strict=True)]
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    return [f"{word} price {values[k]:12,.4f} at {kind} {names[k]}" for word, k in (("lowest", low), ("highest", high))]


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
