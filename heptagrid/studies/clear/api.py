"""One file, one market: finds who reads the file and which rule clears it, and writes the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import FileError, MarketError, UsageError
from heptagrid.foundation.output_file import refuse_overwriting
from heptagrid.foundation.registry import markets
from heptagrid.planes.money.formulations.program import OPTIMAL
from heptagrid.planes.money.markets.market import Market, Outcome, Table
from heptagrid.studies.clear.commitment_files import RTS_GMLC, UNIT_COMMITMENT, read_commitment

CASE, BIDS = "MATPOWER case (.m)", "bids and offers (.csv)"
_OWN = {CASE: "dc-opf", BIDS: "double-auction", UNIT_COMMITMENT: "unit-commitment", RTS_GMLC: "unit-commitment"}
_ENDINGS = ((".m", CASE), (".csv", BIDS), (".json", UNIT_COMMITMENT))


@dataclass(frozen=True)
class Clearing:
    """What the market in a file came to. format: of the file, in words. market: which rule cleared it. remarks: what was left out, a line each."""

    source: str
    format: str
    market: Market
    outcome: Outcome
    remarks: tuple[str, ...] = ()

    def summary(self) -> dict[str, object]:
        """The figures of the whole, and rows; no figure but the seconds unless the answer is optimal."""
        found, certificate = self.outcome, self.outcome.certificate
        return {
            "source": self.source,
            "format": self.format,
            "market": self.market.name,
            "status": found.status,
            "total_cost": found.total_cost,
            "bound": certificate.bound if certificate else None,
            "gap": certificate.gap if certificate else None,
            "primal_residual": certificate.primal_residual if certificate else None,
            "dual_residual": certificate.dual_residual if certificate else None,
            "complementarity": certificate.complementarity if certificate else None,
            **found.figures,
            "prices": rows_of(found.prices),
            "quantities": rows_of(found.quantities),
            "branches": rows_of(found.branches),
            "reasons": list(found.reasons),
            "seconds": found.seconds,
        }

    def check(self) -> None:
        """Refuse a market without an answer.

        Raises
        ------
        MarketError
            Saying why, as far as that is known.
        """
        found = self.outcome
        if found.total_cost is None and found.status != OPTIMAL:
            said = {"infeasible": "no dispatch keeps all of its limits", "unbounded": "its cost falls without end"}
            head = f"{self.source}: {found.status}: {said.get(found.status, 'the solver has found no answer')}"
            raise MarketError("\n  ".join([head, *found.reasons]))


def clear(
    source: str,
    out: str | Path | None = None,
    quantities: str | Path | None = None,
    branches: str | Path | None = None,
    *,
    network: str | None = None,
    dc_model: str | None = None,
    rule: str | None = None,
    ignore: Collection[str] = (),
    date: str | None = None,
    hours: int | None = None,
    reserves: str | None = None,
    n_1: bool | None = None,
    gap: float | None = None,
    losses: str | None = None,
) -> Clearing:
    """Clear the market in a file; write its prices to `out`, its quantities and branches to files of their own, if given.

    network: `dc` (by default) or `none`; dc_model: `powermodels` (by default) or `matpower`; both of cases alone. rule: the name of a market that is
    registered, if not the package's own for the file. losses: `off` (by default) or `on`: what flows lose is given too, and prices have a part for it. A market without an answer is returned without figures, and nothing is written.

    Of unit commitment: date: the first day of an RTS-GMLC folder, as `2020-07-10`, and hours from its midnight on (24). reserves: `on` (by default) or
    `off`; n_1: whether every branch may fail; gap: of the cost to its bound at which to stop (0.001). A search that stopped before has figures, and says so.

    Raises
    ------
    FileError, NetworkError, OutputError, UsageError
        For files that break rules, networks without a flow, places that are unwritable or the file itself, options that the market does not take.
    """
    refuse_overwriting([source], [out, quantities, branches])
    format = _format_of(source)
    market = _market(rule or _OWN[format])
    options = {"network": network, "dc_model": dc_model, "reserves": reserves, "n_1": n_1, "gap": gap}
    options["losses"] = losses
    given = {name: value for name, value in options.items() if value is not None}
    if refused := sorted(given.keys() - market.options):
        raise UsageError(
            f"--{refused[0].replace('_', '-')} has no effect on {market.name} ({market.words}); leave it out"
        )
    offers = _read(source, format, ignore, date, hours)
    if not isinstance(offers, market.takes):
        raise UsageError(f"{source} is of a kind that {market.name} does not clear: {format}")
    outcome = market.clear(offers, **given)
    found = Clearing(source, format, market, outcome, (*getattr(offers, "left_out", ()), *outcome.remarks))
    if outcome.status == OPTIMAL or outcome.total_cost is not None:
        _write(found, {"--out": out, "--quantities": quantities, "--branches": branches})
    return found


def rows_of(table: Table) -> list[dict[str, Any]]:
    """A table as rows of plain values; what is not known is None."""
    columns = [column if isinstance(column, list) else _plain(column) for column in table.values()]
    return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(column: Any) -> list[Any]:
    if column.dtype.kind == "U":
        return list(column.tolist())
    return [value if value == value and abs(value) != float("inf") else None for value in column.tolist()]


def _format_of(source: str) -> str:
    if (Path(source) / "SourceData").is_dir():
        return RTS_GMLC
    for ending, format in _ENDINGS:
        if source.lower().endswith(ending):
            if not Path(source).is_file():
                raise FileError(source, ["there is no such file"])
            return format
    read = "; ".join(_OWN)
    if not Path(source).exists():
        raise FileError(source, [f"there is no such file; what is read here: {read}"])
    raise UsageError(f"{source} is in no format that is read here: {read}")


def _market(name: str) -> Market:
    known = markets()
    if name not in known:
        raise UsageError(f"there is no market called {name!r}; there are {', '.join(known)}")
    market = known[name]
    assert isinstance(market, Market)
    return market


def _read(source: str, format: str, ignore: Collection[str], date: str | None, hours: int | None) -> Any:
    if format in (RTS_GMLC, UNIT_COMMITMENT):
        return read_commitment(source, format, ignore, date, hours)
    for name, value in (("date", date), ("hours", hours)):
        if value is not None:
            raise UsageError(f"--{name} has no effect on {format}; leave it out")
    if format == BIDS:
        from heptagrid.importers.bids_file import read_bids

        return read_bids(source)
    from heptagrid.importers.matpower_market import read_market

    return read_market(source, ignore)


def _write(found: Clearing, files: dict[str, str | Path | None]) -> None:
    from heptagrid.studies.rows_file import write_rows

    outcome = found.outcome
    tables = zip(files.items(), (outcome.prices, outcome.quantities, outcome.branches), strict=True)
    written = []
    for (option, path), rows in tables:
        if path is None:
            continue
        if not rows:
            raise UsageError(f"{option}: {found.market.name} has no such rows; leave it out")
        written.append((Path(path), rows))
    if written:
        write_rows(written)
