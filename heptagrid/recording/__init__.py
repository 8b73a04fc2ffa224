"""What a run keeps: series, tables, totals, summary, and how they are read back."""
