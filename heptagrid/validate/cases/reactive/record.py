"""Records OpenDSS's answers to the cases of `heptagrid.validate.power_reactive`.

python heptagrid/validate/cases/reactive/record.py
"""

from __future__ import annotations

from heptagrid.validate.power_reactive import ANSWERS, FUNCTIONS, SOURCE, theirs


def main() -> None:
    """Write the voltages of all buses, a column for each function."""
    columns = [theirs(one) for one in FUNCTIONS]
    lines = [f"# Voltages in pu. {SOURCE}", ",".join(["bus", *(one.name for one in FUNCTIONS)])]
    lines += [",".join([str(k + 1), *(f"{v[k]:.7f}" for v in columns)]) for k in range(len(columns[0]))]
    ANSWERS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
