"""A chain of hashes over a run's ledger: each row's hash rests on the one before, so that no row can be changed, moved, added or taken out unseen.

The manifest keeps the chain's head, the last hash, and those at the end of each day. Whoever rewrites the whole chain, manifest included, passes, unless a
head is kept elsewhere: a run prints it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heptagrid.foundation.frames import slices_of

if TYPE_CHECKING:
    import polars

COLUMNS = ("arm", "run_day", "at_ns", "of_ns", "payer", "payee", "amount_millicent", "reason", "cause")
_OF_LINK = ("arm", "run_day", "of_ns")
_ROWS = 2**16  # that are made into text at once
_BEGIN = hashlib.sha256(b"heptagrid ledger").digest()


def chain_of(ledger: polars.DataFrame | Iterable[polars.DataFrame]) -> list[dict[str, Any]]:
    """The links of a ledger's chain: for each arm's day, in the table's order, its rows, their sum in millicents, and the hash up to its end.

    ledger: the table, or slices of it one after another.
    """
    links: list[dict[str, Any]] = []
    head = _BEGIN
    for part in _parts_of_links(ledger):
        for row in part["row"]:
            head = hashlib.sha256(head + row.encode()).digest()
        first = part.row(0, named=True)
        link = {
            "arm": first["arm"],
            "run_day": int(first["run_day"]),
            "of_ns": int(first["of_ns"]),
            "rows": len(part),
            "paid_millicent": int(part["amount_millicent"].sum()),
            "hash": head.hex(),
        }
        if links and all(links[-1][name] == link[name] for name in _OF_LINK):
            before = links.pop()
            link |= {name: before[name] + link[name] for name in ("rows", "paid_millicent")}
        links.append(link)
    return links


def _parts_of_links(ledger: polars.DataFrame | Iterable[polars.DataFrame]) -> Iterator[polars.DataFrame]:
    """Rows of one link each, as they are hashed; of long ones several parts."""
    import polars as pl

    slices = (ledger,) if isinstance(ledger, pl.DataFrame) else ledger
    for some in (one for each in slices for one in each.iter_slices(_ROWS)):
        text = some.select(
            *(pl.col(name) for name in (*_OF_LINK, "amount_millicent")),
            pl.concat_str([pl.col(name).cast(pl.String) for name in COLUMNS], separator="|").alias("row"),
        )
        runs = text.with_columns(pl.struct(_OF_LINK).rle_id().alias("link"))
        yield from runs.partition_by("link", maintain_order=True)


def chain_of_file(path: Path) -> list[dict[str, Any]]:
    """The links of the chain of the ledger in a file; none without one."""
    return chain_of(slices_of(path)) if path.exists() else []


def head_of(links: list[dict[str, Any]]) -> str:
    """The hash that vouches for the whole ledger."""
    return str(links[-1]["hash"]) if links else _BEGIN.hex()


def first_broken(ledger: polars.DataFrame, links: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first link of a recorded chain that the ledger does not give; None if it gives all, and no more."""
    found = chain_of(ledger)
    for recorded, now in zip(links, found, strict=False):
        if recorded != now:
            return recorded
    if len(found) == len(links):
        return None
    return (links if len(links) > len(found) else found)[min(len(links), len(found))]
