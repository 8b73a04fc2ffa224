"""Which of several technologies is the cheapest that keeps the benefit, for a varied key whose values are words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEPT_SHARE = 0.95  # assumption: what a planner would call as good


def cheapest(
    key: str, points: Sequence[Mapping[str, Any]], silent: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """The value with the lowest telecom cost among those that keep the benefit, one table for points that differ in it.

    The benefit is that of the messages: what the smart grid brings more than the same without messages, `silent`, point by point; where
    that is not known, than the conventional arm.

    Benefit is before telecom cost: the net benefit of all seven domains and the state plus the telecom cost, means over
    the seeds; of the years ahead if they are known (present values), else of the run. The state counts, since a link that
    loses readings would else be credited with taxes not paid on bills by estimates. None is chosen if no benefit is positive.
    `chosen_meeting` has the lowest telecom cost of those with which every application met its requirement, whatever the benefit.
    """
    is_annualised = all(point["figures"]["npv_eur"] is not None for point in points)
    net, cost = ("total_npv_eur", "telecom_pv_eur") if is_annualised else ("total_benefit_eur", "telecom_eur")
    rows = []
    for k, point in enumerate(points):
        net_eur, telecom_eur = (point["figures"][figure]["mean"] for figure in (net, cost))
        silent_eur = None if silent is None else sum(silent[k]["figures"][figure]["mean"] for figure in (net, cost))
        rows.append(
            {
                "value": point["at"][key],
                "missed_pct": point["figures"]["missed_pct"]["mean"],
                "requirements_missed": point["figures"]["requirements_missed"]["max"],
                "net_benefit_eur": net_eur,
                "telecom_eur": telecom_eur,
                "benefit_before_telecom_eur": net_eur + telecom_eur,
                "silent_eur": silent_eur,
                "worth_eur": net_eur + telecom_eur - (silent_eur or 0.0),
            }
        )
    best_eur = max(row["worth_eur"] for row in rows)
    for row in rows:
        row["keeps"] = best_eur > 0.0 and row["worth_eur"] >= KEPT_SHARE * best_eur
    chosen, chosen_meeting = (
        min(those, key=lambda row: row["telecom_eur"], default=None)
        for those in ([row for row in rows if row["keeps"]], [row for row in rows if not row["requirements_missed"]])
    )
    return {
        "key": key,
        "others": {name: value for name, value in points[0]["at"].items() if name != key},
        "over": "years" if is_annualised else "run",
        "kept_share": KEPT_SHARE,
        "against_silence": silent is not None,
        "rows": rows,
        "chosen": None if chosen is None else chosen["value"],
        "chosen_meeting": None if chosen_meeting is None else chosen_meeting["value"],
    }
