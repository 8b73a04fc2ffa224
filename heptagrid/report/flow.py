"""A power flow of a file in a few lines for a terminal."""

from __future__ import annotations

from heptagrid.studies.flow.snapshot import NEUTRAL, Snapshot


def flow_text(found: Snapshot) -> str:
    """What was solved, by what, and the totals."""
    summary, totals = found.summary(), found.totals
    rounds = f"{found.iterations} iteration{'' if found.iterations == 1 else 's'}"
    took = f"{found.seconds:.1f} s" if found.seconds >= 1.0 else f"{1e3 * found.seconds:.3g} ms"
    lines = [
        f"{found.source}: {found.format}, {summary['nodes']} nodes, {summary['branches']} branches",
        f"{found.solver}: {rounds}, {took}",
        "",
    ]
    for name, kw, kvar in (
        ("fed in", totals.fed_in_kw, totals.fed_in_kvar),
        *([("taken back", totals.taken_back_kw, totals.taken_back_kvar)] if totals.taken_back_kw > 0.0 else []),
        ("loads", totals.loads_kw, totals.loads_kvar),
        ("shunts", totals.shunts_kw, totals.shunts_kvar),
        ("losses", totals.losses_kw, totals.losses_kvar),
    ):
        lines.append(f"{name:10} {kw:14,.3f} kW {kvar:16,.3f} kvar")
    if totals.fed_in_kw >= 0.001:
        lines[-1] += f"   {totals.losses_kw / totals.fed_in_kw:.2%} of what is fed in".replace("%", " %")
    lines.append("")
    for word, key in (("lowest", "least"), ("highest", "greatest")):
        v_pu, node, phase = (summary[f"{key}_v_{what}"] for what in ("pu", "node", "phase"))
        at = f"{node}" if phase == "0" else f"{node}.{phase}"
        lines.append(f"{word} voltage {v_pu:.6f} pu at {at}" if isinstance(v_pu, float) else f"{word} voltage: unknown")
    return "\n".join([*lines, *_others(found, summary)])


def _others(found: Snapshot, summary: dict[str, object]) -> list[str]:
    """What is counted apart from the voltages of phases: neutrals, and what no source feeds."""
    lines = []
    if summary["neutral_nodes"]:
        v_pu = found.nodes.v_pu[found.nodes.where(NEUTRAL)].max()
        lines.append(f"neutral nodes: {summary['neutral_nodes']}, highest voltage to ground {v_pu:.6f} pu")
    if summary["de_energised_nodes"]:
        lines.append(
            f"de-energised nodes: {summary['de_energised_nodes']}; loads not served: {summary['loads_not_served']}, "
            f"{found.not_served.kw:,.3f} kW"
        )
    return lines
