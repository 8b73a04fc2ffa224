"""Run the town's default day in both arms and ask its tables with polars: when is the peak, whose bill changes, what came late.

python examples/town_tables.py [RESULTS]    opens the run in the folder RESULTS, or runs into it if there is none
"""

import sys
from pathlib import Path

import polars as pl

import heptagrid

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/tables")
run = heptagrid.open_run(folder) if folder.exists() else heptagrid.run("town", step_s=300, out=folder)

# The summary holds the figures of the page; `difference` is smart less conventional.
print(f"the smart grid changes the peak by {run.summary['difference']['primary_peak_kw']:.0f} kW")

# `totals` has a row for each step and arm. Times are nanoseconds since 1970, UTC.
zone = run.manifest["zone"]
local = pl.from_epoch("time_ns", time_unit="ns").dt.convert_time_zone(zone).dt.strftime("%H:%M").alias("at")
peaks = run.totals.sort("import_kw").group_by("arm").last().sort("arm")
print(peaks.select("arm", local, "import_kw", "price_eur_per_mwh", "v_min_pu"))

# `bills` has a row for each customer, and a column for each arm.
change = (pl.col("bill_eur_smart") - pl.col("bill_eur_conventional")).alias("change_eur")
bills = run.bills.select("customer", "bill_eur_conventional", "bill_eur_smart", change).sort("change_eur")
print(bills.head(3), bills.tail(3))

# `messages` counts by quarter hour, kind and access network.
counts = run.messages.group_by("arm", "kind").agg(pl.col("sent", "lost", "late").sum(), pl.col("worst_s").max())
print(counts.sort("arm", "kind"))

# Every other table of the folder by its name.
print(run.table("transformer_list").select("name", "sn_kva", "peak_pct_conventional", "peak_pct_smart").head(3))
