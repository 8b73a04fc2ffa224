"""An audit of a run: its files are as it wrote them, its ledger is whole, balances, and comes to what the summary says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from heptagrid.foundation.errors import HeptagridError, OutputError
from heptagrid.foundation.time import from_ns
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR
from heptagrid.recording.ledger_chain import first_broken, head_of
from heptagrid.recording.results import Run
from heptagrid.recording.seal import CONTENTS, hash_of
from heptagrid.world.accounts import column_of

LIMIT = (
    "The chain finds what was changed after the run. Who makes files, chain and manifest anew passes, unless the head is kept elsewhere: "
    "compare it with the one that the run printed."
)

LEDGER = "ledger"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. what: in words. problem: empty where all is well."""

    what: str
    problem: str = ""


@dataclass(frozen=True)
class Audit:
    """All that was looked at, and the head of the ledger's chain as the manifest has it."""

    run: str
    head: str
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> list[str]:
        return [f"{one.what}: {one.problem}" for one in self.findings if one.problem]

    def check(self) -> None:
        """Raise OutputError if anything is not as the run wrote it."""
        if self.problems:
            raise OutputError("\n  ".join([f"{self.run} does not stand the audit", *self.problems]))

    def summary(self) -> dict[str, Any]:
        """As JSON content."""
        return {
            "run": self.run,
            "sound": not self.problems,
            "head": self.head,
            "findings": [{"what": one.what, "problem": one.problem or None} for one in self.findings],
            "limit": LIMIT,
        }


def audit(run: Run) -> Audit:
    """Look at everything; a fault found is a finding, and the rest is looked at nevertheless.

    Raises
    ------
    OutputError
        For a run that was stopped before its end, which vouches for nothing.
    """
    if run.partial:
        raise OutputError(f"{run.folder} holds a run that was stopped before its end; it vouches for nothing yet")
    findings = [_file(run, name) for name in sorted(run.manifest[CONTENTS])]
    links = run.manifest["ledger_chain"]
    if not links and f"{LEDGER}.parquet" not in run.manifest[CONTENTS]:
        return Audit(str(run.folder), head_of(links), (*findings, _without_ledger(run)))
    try:
        ledger = run.ledger
    except (HeptagridError, OSError) as problem:
        findings.append(Finding("ledger", f"it cannot be looked at: {problem}"))
    else:
        findings += [_chain(run, ledger, links), *(_sums(run, ledger, arm) for arm in run.manifest["arms"])]
    return Audit(str(run.folder), head_of(links), tuple(findings))


def _without_ledger(run: Run) -> Finding:
    """Of a live run that ended on its first day, before any day was billed."""
    tells = [arm for arm in run.manifest["arms"] if run.summary["arms"][arm]["money_eur"]["by_reason"]]
    return Finding("no ledger, for no day was billed", "the summary tells of payments" if tells else "")


def _file(run: Run, name: str) -> Finding:
    path = run.folder / name
    if not path.is_file():
        return Finding(name, "it is missing")
    return Finding(name, "" if hash_of(path) == run.manifest[CONTENTS][name] else "it is not as the run wrote it")


def _chain(run: Run, ledger: Any, links: list[dict[str, Any]]) -> Finding:
    broken = first_broken(ledger, links)
    what = f"chain of {len(ledger):,} ledger rows".replace(",", " ")
    if broken is None:
        return Finding(what)
    day = from_ns(broken["of_ns"], _zone(run)).date()
    return Finding(what, f"it breaks within the {broken['arm']} arm's payments for {day}")


def _zone(run: Run) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(run.manifest["zone"])


def _sums(run: Run, ledger: Any, arm: str) -> Finding:
    """What was paid for each reason from whom to whom is, to the millicent, what the summary says."""
    import polars as pl

    mine = ledger.filter(pl.col("arm") == arm)
    sides = [pl.col(name).map_elements(column_of, return_dtype=pl.String).alias(name) for name in ("payer", "payee")]
    found = mine.select("reason", *sides, "amount_millicent").group_by("reason", "payer", "payee")
    sums = {row[:3]: row[3] for row in found.agg(pl.col("amount_millicent").sum()).iter_rows() if row[3]}
    told = {
        (one["reason"], one["payer"], one["payee"]): round(one["amount_eur"] * MILLICENT_PER_EUR)
        for one in run.summary["arms"][arm]["money_eur"]["by_reason"]
    }
    moved_eur = sum(sums.values()) / MILLICENT_PER_EUR
    what = f"sums of the {arm} arm, {moved_eur:,.2f} EUR moved".replace(",", " ")
    for key in sorted(sums.keys() | told.keys()):
        if sums.get(key, 0) != told.get(key, 0):
            reason, payer, payee = key
            return Finding(
                what,
                f"for {reason} {payer} paid {payee} {sums.get(key, 0) / MILLICENT_PER_EUR:.5f} EUR by the ledger and "
                f"{told.get(key, 0) / MILLICENT_PER_EUR:.5f} EUR by the summary",
            )
    return Finding(what)
