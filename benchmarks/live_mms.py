"""Devices of IEC 61850 MMS: the memory of 200 associations, requests a second, and how long an answer takes; network ideal, so that only the server counts.

python benchmarks/live_mms.py [SCENARIO] [--connections N] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.processes import cpu_of, resident_mb, serving
from heptagrid.live.protocols.mms.ber import encoded
from heptagrid.live.protocols.mms.data import BOOLEAN
from heptagrid.live.protocols.mms.pdu import Service
from tests.live.mms_client import Client, variables

UNDER_WAY = 5
LOADED = 50


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("scenario", nargs="?", default="town")
    options.add_argument("--connections", type=int, default=200)
    options.add_argument("--seconds", type=float, default=10.0)
    given = options.parse_args()
    with serving(given.scenario, "mms", "substations/0 is SUB0LD0") as (pid, port):
        asyncio.run(measured(pid, port, given.connections, given.seconds))


async def measured(pid: int, port: int, connections: int, seconds: float) -> None:
    before_mb = resident_mb(pid)
    clients = [await connected(port, k) for k in range(connections)]
    grown_mb = resident_mb(pid) - before_mb
    print(
        f"{connections} associations, each with a report: {grown_mb:.1f} MB, {1e3 * grown_mb / connections:.0f} kB each"
    )
    for name, item in (("an attribute", "MMXU1$MX$TotW$mag$f"), ("a logical node", "MMXU1")):
        began, cpu_s = time.perf_counter(), cpu_of(pid)
        until = began + seconds
        asking = [
            ask(client, domain(k), item, until) for k, client in enumerate(clients[:LOADED]) for _ in range(UNDER_WAY)
        ]
        waits_ms = 1e3 * np.concatenate(await asyncio.gather(*asking))
        took_s = time.perf_counter() - began
        print(
            f"{len(waits_ms) / took_s:.0f} readings of {name} a second, {UNDER_WAY} under way on each of {LOADED} associations: "
            f"median {np.median(waits_ms):.1f} ms, p99 {np.percentile(waits_ms, 99):.1f} ms; the server took {100 * (cpu_of(pid) - cpu_s) / took_s:.0f} % of a core"
        )
    print(f"{sum(len(one.reports) for one in clients)} reports came meanwhile")
    for one in clients:
        await one.close()


async def ask(client: Client, domain: str, item: str, until: float) -> list[float]:
    """Read one variable again and again; how long each answer took."""
    waits_s = []
    asked = encoded(0xA1, variables(f"{domain}/{item}"))
    while (began := time.perf_counter()) < until:
        await client.begin(Service.READ, asked)
        waits_s.append(time.perf_counter() - began)
    return waits_s


def domain(number: int) -> str:
    return f"SUB{number % 100}LD0"


async def connected(port: int, number: int) -> Client:
    """An association with a substation, at its own address; several share one where there are fewer stations."""
    row = number % 100
    client = Client(*await asyncio.open_connection(f"127.96.0.{row}", port))
    await client.associate()
    block = f"{domain(number)}/LLN0$RP$Measurements{1 + number // 100:02}$"
    assert await client.write_value(block + "RptEna", BOOLEAN.encode(True)) is None
    return client


if __name__ == "__main__":
    main()
