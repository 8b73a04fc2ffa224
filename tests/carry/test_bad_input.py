"""What is wrong with a network or its traffic is said by table or row, all at once, with an exit code."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from heptagrid.cli import main

NETWORK = """
[[node]]
name = "alpha"
[[node]]
name = "beta"
[[node]]
name = "gamma"
[[link]]
from = "alpha"
to = "beta"
rate_bps = 1e6
"""
HEADER = "sent_s,source,destination,bytes"
LINK = '[[link]]\nfrom = "beta"\nto = "gamma"\n'
MEDIUM = '[[medium]]\nmembers = ["alpha", "beta"]\n'


def carry(folder: Path, network: str | bytes, traffic: str | bytes, *more: str) -> Result:
    files = []
    for name, text in (("network.toml", network), ("traffic.csv", traffic)):
        files.append(folder / name)
        files[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(main, ["carry", *map(str, files), *more])


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (LINK + 'technology = "lorawam"', "[[link]] 2: technology 'lorawam' is unknown; did you mean lorawan?"),
        (LINK + 'technology = "lte-m"\nrate_bps = "fast"', "[[link]] 2: rate_bps is 'fast'"),
        (LINK + "rate_bps = 0", "[[link]] 2: rate_bps is 0; it must be at least 1"),
        (LINK + "rate_bps = -1e6", "[[link]] 2: rate_bps is -1000000.0; it must be at least 1"),
        (LINK + "rate_bps = inf", "[[link]] 2: rate_bps is inf"),
        (LINK + "rate_bps = nan", "[[link]] 2: rate_bps is nan"),
        (LINK, "[[link]] 2: rate_bps is missing; give it, or a technology"),
        (LINK + "rate_bps = 1e6\ndelay_s = -0.1", "[[link]] 2: delay_s is -0.1; it must be at least 0"),
        (LINK + "rate_bps = 1e6\ndelay_s = nan", "[[link]] 2: delay_s is nan; it must be at least 0"),
        (LINK + "rate_bps = 1e6\nloss = 1.5", "[[link]] 2: loss is 1.5; it must be at least 0 and at most 1"),
        (LINK + "rate_bps = 1e6\nretries = 1.5", "[[link]] 2: retries is 1.5; it must be a whole number from 0"),
        (LINK + "rate_bps = 1e6\nretries = -1", "[[link]] 2: retries is -1; it must be a whole number from 0"),
        (LINK + "rate_bps = 1e6\npriorities = 0", "[[link]] 2: priorities is 0; it must be a whole number from 1"),
        (LINK + "rate_bps = 1e6\nqueue_packets = -1", "[[link]] 2: queue_packets is -1"),
        (LINK + "rate_bps = 1e6\nfragmentation = 1", "[[link]] 2: fragmentation is 1; write true or false"),
        (LINK + "rate_bps = 1e6\nrat_bps = 1e6", "[[link]] 2: rat_bps is unknown; did you mean rate_bps?"),
        (
            '[[link]]\nfrom = "bta"\nto = "gamma"\nrate_bps = 1',
            "[[link]] 2: from 'bta' is not a node; did you mean beta?",
        ),
        ('[[link]]\nfrom = "beta"\nrate_bps = 1', "[[link]] 2: to is missing"),
        ('[[link]]\nfrom = "beta"\nto = ["gamma"]\nrate_bps = 1', "[[link]] 2: to ['gamma'] is not a node"),
        ('[[link]]\nfrom = "beta"\nto = "beta"\nrate_bps = 1', "[[link]] 2: leads from 'beta' to itself: a loop"),
        ('[[node]]\nname = "beta"', "[[node]] 4: name 'beta' is taken by another node"),
        ("[[node]]\nx_m = 1.0", "[[node]] 4: name is missing"),
        ('[[node]]\nname = "delta"\nx_m = inf', "[[node]] 4: x_m is inf"),
        ("[[links]]\nrate_bps = 1", "[[links]] is unknown; did you mean link?"),
        (MEDIUM + 'access = "cmsa"\nrate_bps = 1e6', "[[medium]] 1: access 'cmsa' is unknown; choose among csma"),
        (MEDIUM + 'access = ["csma"]\nrate_bps = 1e6', "[[medium]] 1: access"),
        (MEDIUM + "rate_bps = 1e6", "[[medium]] 1: access is missing; choose among csma"),
        (MEDIUM + 'access = "tdma"\nrate_bps = 1e6', "[[medium]] 1: slot_s is missing"),
        (MEDIUM + 'access = "cellular"\nrate_bps = 1e6', "[[medium]] 1: cellular needs a technology that uses it"),
        (MEDIUM + 'access = "dcf"\nrate_bps = 1e6\nexponents = [4, 70]', "[[medium]] 1: exponents is [4, 70]"),
        (LINK + "rate_bps = 1e-320", "[[link]] 2: rate_bps is 1e-320; it must be at least 1 and at most 1e+15"),
        (LINK + f"rate_bps = 1{'0' * 400}", "holds a whole number beyond 64 bits, of 401 digits, at link[1].rate_bps"),
        *(
            (MEDIUM + f'access = "{access}"\nrate_bps = 1e6\nslot_s = 0.1\n{key} = {value}', f"[[medium]] 1: {key} is")
            for access, key, value in (
                *(
                    ("csma-ca", key, value)
                    for key in ("ack_s", "sense_s", "gap_s", "ack_wait_s")
                    for value in ("inf", "1e10")
                ),
                *(("csma-ca", "duty_cycle", value) for value in ("2", "1e-7", "-0.1", "nan")),
                *(("aloha", "channels", value) for value in ("0", "1.5", "1000000000000000000")),
                *(("aloha", "path_exponent", "0"), ("aloha", "sense_m", "-1"), ("aloha", "spreading", "9")),
                *(("csma-ca", "back_offs", "1000000000"), ("csma-ca", "window_s", "inf"), ("csma-ca", "update_s", "0")),
            )
        ),
        (
            MEDIUM + 'access = "tdma"\nrate_bps = 1e6\nslot_s = 0',
            "[[medium]] 1: slot_s is 0; it must be at least 1e-09",
        ),
        (
            MEDIUM + 'technology = "lorawan"\nspreading = 6',
            "[[medium]] 1: spreading is 6; it must be a whole number from 7",
        ),
        (MEDIUM + 'technology = "lte"\npreambles = 0', "[[medium]] 1: preambles is 0"),
        ('[[node]]\nname = "be\u0301"\n[[node]]\nname = "b\u00e9"', "[[node]] 5: name 'bé' is taken by another node"),
        (
            '[[outage]]\nnode = "beta"\nend_s = 1\n' * 2048,
            "'beta' has 2048 outages; 2047 at most",
        ),
        (MEDIUM + 'technology = "fibre"', "[[medium]] 1: fibre has no shared medium; use it in a [[link]]"),
        (
            '[[medium]]\nmembers = ["alpha"]\naccess = "csma"\nrate_bps = 1',
            "[[medium]] 1: members must be a list of at",
        ),
        (
            '[[medium]]\nmembers = ["alpha", "gama"]\naccess = "csma"\nrate_bps = 1',
            "[[medium]] 1: member 'gama' is not a node; did you mean gamma?",
        ),
        (
            '[[medium]]\nmembers = ["alpha", "alpha"]\naccess = "csma"\nrate_bps = 1',
            "[[medium]] 1: a node is among the members more than once",
        ),
        (MEDIUM + 'technology = "lte-m"\nbase = "gamma"', "[[medium]] 1: base 'gamma' is not among the members"),
        ('[[outage]]\nnode = "beta"\nbegin_s = 5\nend_s = 4', "[[outage]] 1: end_s must be later than begin_s"),
        ('[[outage]]\nfrom = "beta"\nto = "gamma"', "[[outage]] 1: there is no [[link]] from 'beta' to 'gamma'"),
        ('[[outage]]\nnode = "zeta"', "[[outage]] 1: node 'zeta' is not a node; did you mean beta?"),
        (
            '[[outage]]\nnode = "gamma"\nfrom = "alpha"\nto = "beta"',
            "[[outage]] 1: node and from are given; an outage is",
        ),
        (
            '[[outage]]\nnode = "gamma"\nlink = "one"',
            "[[outage]] 1: node and link are given; an outage is of a node or",
        ),
        ('[[node]]\nname = " beta "', "[[node]] 4: name 'beta' is taken by another node"),
        ('[[node]]\nname = " "', "[[node]] 4: name is missing"),
        (
            '[[node]]\nname = "b\u00e9"\n[[group]]\nname = "be\u0301"\nmembers = ["beta", "gamma"]',
            "[[group]] 1: name 'b\u00e9' is taken by another group or a node",
        ),
    ],
)
def test_a_problem_of_the_network_names_its_table_and_the_remedy(tmp_path: Path, added: str, words: str) -> None:
    result = carry(tmp_path, NETWORK + added, f"{HEADER}\n0,alpha,beta,100\n")
    assert result.exit_code == 3
    assert str(tmp_path / "network.toml") in result.output
    assert words in result.output


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


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\nnan,alpha,beta,-1\n0,alpha,zeta,5\n")
    assert "3 problems" in result.output
    many = carry(tmp_path, NETWORK, f"{HEADER}\n" + "nan,alpha,beta,1\n" * 1000)
    assert "and 1 more" in many.output


def test_problems_of_the_traffic_come_in_the_order_of_its_rows(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n0,alpha,beta,0\nnan,alpha,beta,1\n0,alpha,zeta,0\n")
    rows = [line.split()[1] for line in result.output.splitlines() if line.startswith("  row ")]
    assert rows == ["1", "2", "3", "3"]


def test_every_row_without_a_path_is_listed(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n0,beta,alpha,1\n0,alpha,beta,1\n1,alpha,gamma,1\n2,beta,alpha,1\n")
    assert "3 problems" in result.output
    for words in ("row 1 (line 2)", "row 3 (line 4): no links lead from 'alpha' to 'gamma'", "row 4 (line 5)"):
        assert words in result.output


def test_an_unknown_technology_is_one_problem(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK + LINK + 'technology = "lorawam"\n', f"{HEADER}\n0,alpha,beta,1\n")
    assert "1 problem\n" in result.output


def test_a_column_that_is_missing_or_doubled_is_named(tmp_path: Path) -> None:
    assert (
        "column bytes is missing; did you mean byte?"
        in carry(tmp_path, NETWORK, "sent_s,source,destination,byte\n").output
    )
    assert "column bytes stands there more than once" in carry(tmp_path, NETWORK, f"{HEADER},bytes\n").output
    assert "is empty; write the columns sent_s" in carry(tmp_path, NETWORK, "").output


def test_a_payload_beyond_a_frame_is_refused_unless_it_may_be_cut(tmp_path: Path) -> None:
    traffic = f"{HEADER}\n0,alpha,beta,100\n0,alpha,beta,101\n"
    for row in ("mtu_bytes = 100", "mtu_bytes = 100\nfragmentation = false"):
        result = carry(tmp_path, NETWORK + row, traffic)
        assert result.exit_code == 3
        assert "row 2 (line 3): 101 bytes are more than the 100 that a frame on its way carries" in result.output
        assert "row 1" not in result.output
    assert carry(tmp_path, NETWORK + "mtu_bytes = 100\nfragmentation = true", traffic).exit_code == 0


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


def test_a_path_of_too_many_hops_is_refused(tmp_path: Path) -> None:
    nodes = "".join(f'[[node]]\nname = "n{k}"\n' for k in range(257))
    links = "".join(f'[[link]]\nfrom = "n{k}"\nto = "n{k + 1}"\nrate_bps = 1e6\n' for k in range(256))
    result = carry(tmp_path, nodes + links, f"{HEADER}\n0,n1,n256,100\n0,n0,n256,100\n")
    assert result.exit_code == 3
    assert "row 2 (line 3): the path from 'n0' to 'n256' has 256 hops; 255 at most" in result.output


def test_a_seed_beyond_the_range_is_a_wrong_call(tmp_path: Path) -> None:
    traffic = f"{HEADER}\n0,alpha,beta,100\n"
    assert carry(tmp_path, NETWORK, traffic, "--seed", str(2**63 - 1)).exit_code == 0
    assert carry(tmp_path, NETWORK, traffic, "--seed", str(2**63)).exit_code == 2
    assert carry(tmp_path, NETWORK, traffic, "--seed", "-1").exit_code == 2


ROUTES = NETWORK + "".join(
    f'[[link]]\nfrom = "{a}"\nto = "{b}"\nrate_bps = 1e6\ndelay_s = {delay}\n'
    for a, b, delay in (("beta", "alpha", 0), ("beta", "gamma", 0), ("gamma", "beta", 0), ("alpha", "gamma", 0.01))
)


def route(at: str, to: str, following: str) -> str:
    return f'[[route]]\nat = "{at}"\nto = "{to}"\nnext = "{following}"\n'


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (
            route("beta", "gamma", "alpha"),
            "[[route]] 1: a routing loop: what is for 'gamma' goes alpha -> beta -> alpha; choose another next",
        ),
        (
            route("alpha", "gamma", "beta") + route("beta", "gamma", "alpha"),
            "[[route]] 1 and [[route]] 2: a routing loop: what is for 'gamma' goes alpha -> beta -> alpha",
        ),
        (route("gamma", "alpha", "alpha"), "[[route]] 1: there is no link from 'gamma' to 'alpha'"),
        (route("alpha", "alpha", "beta"), "[[route]] 1: at and to are both 'alpha'"),
        (route("alpha", "gamma", "gamma") * 2, "[[route]] 2: [[route]] 1 already says where 'alpha' sends"),
        (route("alpha", "gama", "beta"), "[[route]] 1: to 'gama' is not a node; did you mean gamma?"),
        (route("alpha", "gamma", "beta").replace("next", "nxt"), "[[route]] 1: nxt is unknown; did you mean next?"),
        ('[[node]]\nname = "delta"\n' + route("alpha", "delta", "beta"), "[[route]] 1: no links lead on to 'delta'"),
    ],
)
def test_a_problem_of_the_routes_names_them(tmp_path: Path, added: str, words: str) -> None:
    result = carry(tmp_path, ROUTES + added, f"{HEADER}\n0,alpha,gamma,100\n")
    assert result.exit_code == 3
    assert words in result.output
    assert result.output.count("a routing loop") <= 1


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    good = f"{HEADER}\n0,alpha,beta,100\n"
    assert "is not text in UTF-8" in carry(tmp_path, NETWORK.encode() + b'name = "\xff"', good).output
    assert "is not text in UTF-8" in carry(tmp_path, NETWORK, good.encode() + b"0,\xff,beta,1\n").output
    assert "is no TOML" in carry(tmp_path, "[[node\n", good).output
    assert "has no [[node]]" in carry(tmp_path, "", good).output
    network, traffic = str(tmp_path / "network.toml"), str(tmp_path / "traffic.csv")
    for files in ((str(tmp_path), traffic), (network, str(tmp_path)), ("none.toml", traffic), (network, "none.csv")):
        Path(network).write_text(NETWORK)
        result = CliRunner().invoke(main, ["carry", *files])
        assert result.exit_code == 3
        assert "cannot be read" in result.output


def test_an_output_that_cannot_be_written_is_another_exit_code(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "none" / "out.csv"):
        result = carry(tmp_path, NETWORK, f"{HEADER}\n0,alpha,beta,100\n", "--out", str(out))
        assert result.exit_code == 5
        assert f"{out} cannot be written" in result.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["network.toml", "traffic.csv"]


def test_traffic_without_rows_is_no_problem(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = carry(tmp_path, NETWORK, f"{HEADER}\n", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert out.read_text() == f"{HEADER},delivered_s,status,hops\n"


ROWS = f"{HEADER}\n0,alpha,beta,125.0\n1,alpha,beta,125\n"


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


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("think_s", "think_s is '2'; the row answers none; give answers, or leave it empty"),
        ("retries", "retries is '2'; nobody waits for an acknowledgement; give ack_timeout_s"),
        ("ack_bytes", "ack_bytes is '2'; nobody waits for an acknowledgement; give ack_timeout_s"),
    ],
)
def test_a_value_that_would_do_nothing_is_refused(tmp_path: Path, column: str, words: str) -> None:
    """A sender with retries and no time-out would never send again, and its file would not say so."""
    for more in ("", ",answers"):
        result = carry(tmp_path, NETWORK, f"{HEADER},{column}{more}\n0,alpha,beta,1,2{',' if more else ''}\n")
        assert result.exit_code == 3
        assert f"row 1 (line 2): {words}" in result.output
        assert (
            carry(tmp_path, NETWORK, f"{HEADER},{column}{more}\n0,alpha,beta,1,0{',' if more else ''}\n").exit_code == 0
        )


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


def test_a_network_of_ten_thousand_unknown_names_is_refused_at_once(tmp_path: Path) -> None:
    """A similar name is looked for only while problems are few: each search reads all names."""
    nodes = "".join(f'[[node]]\nname = "meter {k}"\n' for k in range(10_000))
    members = ", ".join(f'"Meter {k}"' for k in range(10_000))
    network = nodes + f'[[medium]]\naccess = "queue"\nrate_bps = 1\nmembers = [{members}]\n'
    began = time.perf_counter()
    result = carry(tmp_path, network, f"{HEADER}\n")
    assert time.perf_counter() - began < 60.0, "it took about 0.1 s for each of 10,000 names"
    assert "member 'Meter 0' is not a node; did you mean meter 0?" in result.output
    assert "10000 problems" in result.output


def test_a_blank_row_between_others_is_named(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\n0,alpha,beta,1\n\n\n1,alpha,beta,1\n")
    assert result.exit_code == 3
    assert "row 2 (line 3): is blank; 1 more are; remove it" in result.output


def test_names_that_look_equal_are_equal(tmp_path: Path) -> None:
    """An e with an acute accent is one character or two (Unicode Standard Annex 15)."""
    network = NETWORK.replace("beta", "be\u0301ta")
    assert carry(tmp_path, network, f"{HEADER}\n0,alpha,b\u00e9ta,100\n").exit_code == 0


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
