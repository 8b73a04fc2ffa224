"""Carry sensors' readings and a camera's pictures over one slow line, and see what priority is worth to the readings.

The network is in substation.toml; the traffic is made here and written as a CSV file.

python examples/carry_a_network.py
"""

import tempfile
from pathlib import Path

import polars as pl

import heptagrid

NETWORK = Path(__file__).with_name("substation.toml")


def traffic(readings: int, pictures: int) -> pl.DataFrame:
    """A minute: every second a reading of each of twelve sensors, every other second a picture in 80 packets, with these priorities."""
    rows = []
    for second in range(60):
        rows += [(second + k / 12.0, "sensors", "control centre", 100, "reading", readings) for k in range(12)]
        if second % 2 == 0:
            rows += [(float(second), "camera", "control centre", 1250, "picture", pictures)] * 80
    return pl.DataFrame(rows, ["sent_s", "source", "destination", "bytes", "kind", "priority"], orient="row")


def delays(readings: int, pictures: int) -> pl.DataFrame:
    """The delays in milliseconds, by kind."""
    with tempfile.TemporaryDirectory() as folder:
        sent, delivered = Path(folder) / "traffic.csv", Path(folder) / "delivered.csv"
        traffic(readings, pictures).write_csv(sent)
        heptagrid.carry(NETWORK, sent, delivered)
        done = pl.read_csv(delivered)
    delay_ms = 1000.0 * (pl.col("delivered_s") - pl.col("sent_s"))
    return done.group_by("kind").agg(mean_ms=delay_ms.mean(), worst_ms=delay_ms.max()).sort("kind")


print("all alike:", delays(readings=0, pictures=0))
print("readings first:", delays(readings=0, pictures=1))
