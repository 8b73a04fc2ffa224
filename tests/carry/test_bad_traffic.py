"""What is wrong with traffic is said by row, all at once, with an exit code; what is only unusual is read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.carry.refusals import HEADER, NETWORK, carry

ROWS = f"{HEADER}\n0,alpha,beta,125.0\n1,alpha,beta,125\n"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0,alpha,beta,100\nnan,alpha,beta,100", "row 2 (line 3): sent_s is 'nan'; it must be a number of seconds"),
        ("inf,alpha,beta,100", "row 1 (line 2): sent_s is 'inf'"),
        ("-1,alpha,beta,100", "row 1 (line 2): sent_s is '-1'"),
        ("1e10,alpha,beta,100", "row 1 (line 2): sent_s is '1e10'"),
        ("soon,alpha,beta,100", "row 1 (line 2): sent_s is 'soon'"),
        (",alpha,beta,100", "row 1 (line 2): sent_s is empty"),
        ("0,alhpa,beta,100", "row 1 (line 2): source is 'alhpa'; it is not a node of the network; did you mean alpha?"),
        ("0,alpha,,100", "row 1 (line 2): destination is empty; it is not a node of the network"),
        ("0,alpha,alpha,100", "row 1 (line 2): destination is 'alpha'; it is the source itself"),
        ("0,alpha,beta,-100", "row 1 (line 2): bytes is '-100'; it must be a whole number of bytes, at least 1"),
        ("0,alpha,beta,0", "row 1 (line 2): bytes is '0'"),
        ("0,alpha,beta,1.5", "row 1 (line 2): bytes is '1.5'"),
        ("0,alpha,beta", "row 1 (line 2): bytes is empty"),
        (
            "0,alpha,beta,2147483649",
            "row 1 (line 2): bytes is '2147483649'; it must be a whole number of bytes, at least 1 and",
        ),
        ("0,alpha," + "z" * 100_000 + ",1", "row 1 (line 2): destination is '" + "z" * 60 + "'...; it is not a node"),
        ("0,alpha,beta,1\n0,alpha,beta,1,2,3", "row 2 (line 3): has 6 fields, and the header 4"),
        ("0,alpha,beta,1\n0,alpha,gamma,100", "row 2 (line 3): no links lead from 'alpha' to 'gamma'"),
    ],
)
def test_a_problem_of_the_traffic_names_its_row(tmp_path: Path, rows: str, words: str) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n{rows}\n")
    assert result.exit_code == 3
    assert str(tmp_path / "traffic.csv") in result.output
    assert words in result.output


def test_a_priority_must_be_a_whole_number(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER},priority\n0,alpha,beta,1,0\n0,alpha,beta,1,-1\n")
    assert "row 2 (line 3): priority is '-1'; it must be a whole number, 0 for the most urgent" in result.output


def test_problems_of_the_traffic_come_in_the_order_of_its_rows(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n0,alpha,beta,0\nnan,alpha,beta,1\n0,alpha,zeta,0\n")
    rows = [line.split()[1] for line in result.output.splitlines() if line.startswith("  row ")]
    assert rows == ["1", "2", "3", "3"]


def test_every_row_without_a_path_is_listed(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n0,beta,alpha,1\n0,alpha,beta,1\n1,alpha,gamma,1\n2,beta,alpha,1\n")
    assert "3 problems" in result.output
    for words in ("row 1 (line 2)", "row 3 (line 4): no links lead from 'alpha' to 'gamma'", "row 4 (line 5)"):
        assert words in result.output


def test_a_column_that_is_missing_or_doubled_is_named(tmp_path: Path) -> None:
    assert (
        "column bytes is missing; did you mean byte?"
        in carry(tmp_path, NETWORK, "sent_s,source,destination,byte\n").output
    )
    assert "column bytes stands there more than once" in carry(tmp_path, NETWORK, f"{HEADER},bytes\n").output
    assert "is empty; write the columns sent_s" in carry(tmp_path, NETWORK, "").output


def test_traffic_beyond_the_end_of_the_clock_is_refused(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK.replace("1e6", "1"), f"{HEADER}\n0,alpha,beta,1000000\n")
    assert result.exit_code == 3
    assert "row 1 (line 2): is on the way for 8e+06 s without waiting; 1.13e+06 s at most" in result.output
    often = NETWORK.replace("1e6", "1\nretries = 200")
    result = carry(tmp_path, often, f"{HEADER}\n" + "0,alpha,beta,100000\n" * 50)
    assert result.exit_code == 3
    assert "row 1 (line 2): is on the way for up to 1.61e+08 s" in result.output


def test_a_message_of_too_many_frames_is_refused(tmp_path: Path) -> None:
    cut = NETWORK + "mtu_bytes = 1\nfragmentation = true\n"
    assert carry(tmp_path, cut, f"{HEADER}\n0,alpha,beta,65535\n").exit_code == 0
    result = carry(tmp_path, cut, f"{HEADER}\n0,alpha,beta,65536\n")
    assert result.exit_code == 3
    assert "row 1 (line 2): 65536 bytes are cut into frames of 1, more than 65535; send less" in result.output


def test_traffic_without_rows_is_no_problem(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = carry(tmp_path, NETWORK, f"{HEADER}\n", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert out.read_text() == f"{HEADER},delivered_s,status,hops\n"


@pytest.mark.parametrize(
    "traffic",
    [
        ROWS,
        ROWS.replace(",", ";"),
        ROWS.replace(",", "\t"),
        ROWS + "\n\n",
        ROWS.replace("\n", "\r\n"),
        ROWS.encode("utf-16"),
        ROWS.replace(",", "\t").encode("utf-16"),
        "\ufeff" + ROWS,
    ],
    ids=["commas", "semicolons", "tabs", "blank end", "CR LF", "UTF-16", "UTF-16 tabs", "UTF-8 mark"],
)
def test_traffic_as_spreadsheets_write_it_is_read(tmp_path: Path, traffic: str | bytes) -> None:
    """125 bytes at 1 Mbit/s take 1 ms."""
    out = tmp_path / "out.csv"
    result = carry(tmp_path, NETWORK, traffic, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert [line.split(",")[4] for line in out.read_text().splitlines()[1:]] == ["0.001000000", "1.001000000"]


@pytest.mark.parametrize(
    "rows",
    [
        'name,sent_s,source,destination,bytes,answers\n"q","0","alpha","beta","125",""\n"","","beta","alpha","125","q"\n',
        "sent_s, source, destination, bytes, answers\n0, alpha, beta, 125, \n , beta, alpha, 125, 1\n",
        "sent_s,source,destination,bytes,answers\n0.0,alpha,beta,125.0,\n,beta,alpha,125.0,1.0\n",
        "sent_s,source,destination,bytes,answers,,\n0,alpha,beta,125,,,\n,beta,alpha,125,1,,\n",
        "name,sent_s,source,destination,bytes,answers\ne\u0301,0,alpha,beta,125,\n,,beta,alpha,125,e\u0301\n",
        "sent_s,source,destination,bytes,answers,priority\n0,alpha,beta,125,,\n,beta,alpha,125,1,0\n",
    ],
    ids=["all quoted", "spaces", "floats", "unnamed columns", "decomposed names", "some priorities"],
)
def test_rows_that_answer_are_read_as_other_programs_write_them(tmp_path: Path, rows: str) -> None:
    """125 bytes at 1 Mbit/s take 1 ms each way."""
    network = NETWORK + '[[link]]\nfrom = "beta"\nto = "alpha"\nrate_bps = 1e6\n'
    out = tmp_path / "out.csv"
    result = carry(tmp_path, network, rows, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert [row["delivered_s"] for row in csv.DictReader(out.read_text().splitlines())] == [
        "0.001000000",
        "0.002000000",
    ]


def test_a_header_alone_with_the_columns_of_loops_is_no_problem(tmp_path: Path) -> None:
    assert carry(tmp_path, NETWORK, f"{HEADER},answers\n").exit_code == 0


def test_columns_that_differ_by_blanks_are_the_same_column(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}, bytes\n0,alpha,beta,1,2\n")
    assert result.exit_code == 3
    assert "column bytes stands there more than once" in result.output


def test_late_times_are_exact_beside_one_with_an_exponent(tmp_path: Path) -> None:
    """At two thousand million seconds a float64 of seconds holds every 238th nanosecond."""
    out = tmp_path / "out.csv"
    rows = "2000000000.123456789,alpha,beta,125\n2e9,alpha,beta,125\n"
    result = carry(tmp_path, NETWORK, f"{HEADER}\n{rows}", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert [line.split(",")[4] for line in out.read_text().splitlines()[1:]] == [
        "2000000000.124456789",
        "2000000000.001000000",
    ]


def test_a_blank_row_between_others_is_named(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n0,alpha,beta,1\n\n\n1,alpha,beta,1\n")
    assert result.exit_code == 3
    assert "row 2 (line 3): is blank; 1 more are; remove it" in result.output


def test_rows_out_of_order_spaces_and_other_columns_are_no_problem(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    rows = 'sent_s, source, destination, bytes, note\n5, alpha, beta, 125,"x, y"\n1, alpha, beta, 125, \n'
    result = carry(tmp_path, NETWORK, rows, "--out", str(out))
    assert result.exit_code == 0, result.output
    lines = out.read_text().splitlines()
    assert lines[0] == "sent_s,source,destination,bytes,note,delivered_s,status,hops"
    assert [line.rsplit(",", 3)[1:] for line in lines[1:]] == [
        ["5.001000000", "delivered", "1"],
        ["1.001000000", "delivered", "1"],
    ]
