"""A city's day in several ways, each of which must come to the same tables: every table's hash is compared with that of one thread in one process.

Usage: same_tables.py [customers, default 50000] [--step 900] [--ways threads,resumed,shards-2,shards-4,ray,areas]

The ways: two threads; killed after its first checkpoint and resumed; areas in two and in four processes; in two processes on two nodes of a Ray cluster, both on this machine; every other area
by itself with what came to it in the first run, whose tables are compared with the rows of those areas. A way that cannot be gone says NOT RUN. Printed is the wall time too, which counts on an idle machine only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import heptagrid
from heptagrid.assembly.world import build_world
from heptagrid.foundation.frames import read_table
from heptagrid.recording.results import Run
from heptagrid.scale.areas import KEYS, rows_of, run_areas
from heptagrid.scenario.load import load

WAYS = ("threads", "resumed", "shards-2", "shards-4", "ray", "areas")


class City:
    """Runs of one city, in folders of one folder."""

    def __init__(self, folder: Path, customers: int, step_s: int) -> None:
        self.folder, self.step_s, self.settings = folder, step_s, [f"city.customers={customers}"]

    def run(self, name: str, shards: int = 1, threads: int = 1, cluster: str | None = None, keeps: bool = False) -> Run:
        """One run, smart arm."""
        way = {"threads": threads, "shards": shards, "cluster": cluster, "keep_boundary": keeps}
        given = {"settings": self.settings, "step_s": self.step_s, "single": "smart"}
        return heptagrid.run("city", **given, **way, out=self.folder / name)

    def resumed(self) -> Run:
        """Killed after its first checkpoint, and resumed."""
        out = self.folder / "resumed"
        words = ["--step", str(self.step_s), "--single", "--threads", "1", "--set", self.settings[0]]
        command = [sys.executable, "-m", "heptagrid", "run", "city", *words, "--checkpoint-every", "12"]
        process = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.DEVNULL, start_new_session=True)
        while not any(out.glob("checkpoints/*.checkpoint")) and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None, "it ended before it was killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return heptagrid.resume(out, threads=1)

    def on_ray(self) -> Run:
        """On two nodes of a Ray cluster."""
        import ray
        from ray.cluster_utils import Cluster

        os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")
        room = {"num_cpus": 1, "object_store_memory": 300_000_000}
        cluster = Cluster(initialize_head=True, head_node_args={**room, "include_dashboard": False})
        cluster.add_node(**room)
        try:
            return self.run("ray", shards=2, cluster=cluster.address)
        finally:
            ray.shutdown()
            cluster.shutdown()


def hashes(run: Run) -> dict[str, str]:
    """Of each table's file."""
    return {one.stem: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(run.folder.glob("*.parquet"))}


def differ(run: Run, first: Run) -> list[str]:
    """The tables that are not the same."""
    ours, theirs = hashes(run), hashes(first)
    return [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]


def areas_differ(city: City, first: Run) -> list[str]:
    """The tables of every other area by itself that are not the rows of the whole run."""
    scenario = load("city", city.settings)
    chosen = np.arange(0, len(scenario.towns), 2)
    names = [scenario.towns[k].name for k in chosen.tolist()]
    given = {"settings": city.settings, "step_s": city.step_s, "single": "smart", "threads": 1}
    found = run_areas("city", names, first.folder, **given, out=city.folder / "areas")
    world = build_world(scenario)
    return [
        name
        for name in KEYS
        if first.has_table(name)
        and not read_table(found / f"{name}.parquet").equals(rows_of(first.table(name), name, world, chosen))
    ]


def main(customers: int, step_s: int, ways: list[str]) -> int:
    """Go the ways; how many came to something else."""
    with tempfile.TemporaryDirectory() as folder:
        city = City(Path(folder), customers, step_s)
        began = time.perf_counter()
        first = city.run("first", keeps=True)
        areas = len(first.summary["arms"]["smart"]["towns"])
        print(
            f"{customers:,} customers, {areas} areas, steps of {step_s} s, one thread: {time.perf_counter() - began:.0f} s"
        )
        compared: dict[str, Callable[[], list[str]]] = {
            "threads": lambda: differ(city.run("threads", threads=2), first),
            "resumed": lambda: differ(city.resumed(), first),
            "shards-2": lambda: differ(city.run("shards-2", shards=2), first),
            "shards-4": lambda: differ(city.run("shards-4", shards=4), first),
            "ray": lambda: differ(city.on_ray(), first),
            "areas": lambda: areas_differ(city, first),
        }
        wrong = 0
        for way in ways:
            if way == "ray" and importlib.util.find_spec("ray") is None:
                print("ray        NOT RUN: Ray is not installed (heptagrid[ray])")
                continue
            began = time.perf_counter()
            found = compared[way]()
            wrong += bool(found)
            count = len(hashes(first)) if way != "areas" else sum(first.has_table(name) for name in KEYS)
            said = f"{count} tables are the same" if not found else f"NOT the same: {', '.join(found)}"
            print(f"{way:10} {said}, {time.perf_counter() - began:.0f} s", flush=True)
    return wrong


if __name__ == "__main__":
    words = sys.argv[1:]
    named = {words[k]: words[k + 1] for k in range(len(words) - 1) if words[k].startswith("--")}
    plain = [
        one for k, one in enumerate(words) if not one.startswith("--") and (k == 0 or not words[k - 1].startswith("--"))
    ]
    chosen_ways = named.get("--ways", ",".join(WAYS)).split(",")
    raise SystemExit(main(int(plain[0]) if plain else 50_000, int(named.get("--step", "900")), chosen_ways))
