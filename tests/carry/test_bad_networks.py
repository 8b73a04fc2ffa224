"""What is wrong with a network is said by table, all at once, with an exit code."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from heptagrid.cli import main
from tests.carry.refusals import HEADER, LINK, MEDIUM, NETWORK, carry

ROUTES = NETWORK + "".join(
    f'[[link]]\nfrom = "{a}"\nto = "{b}"\nrate_bps = 1e6\ndelay_s = {delay}\n'
    for a, b, delay in (("beta", "alpha", 0), ("beta", "gamma", 0), ("gamma", "beta", 0), ("alpha", "gamma", 0.01))
)


def route(at: str, to: str, following: str) -> str:
    return f'[[route]]\nat = "{at}"\nto = "{to}"\nnext = "{following}"\n'


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


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK, f"{HEADER}\nnan,alpha,beta,-1\n0,alpha,zeta,5\n")
    assert "3 problems" in result.output
    many = carry(tmp_path, NETWORK, f"{HEADER}\n" + "nan,alpha,beta,1\n" * 1000)
    assert "and 1 more" in many.output


def test_an_unknown_technology_is_one_problem(tmp_path: Path) -> None:
    result = carry(tmp_path, NETWORK + LINK + 'technology = "lorawam"\n', f"{HEADER}\n0,alpha,beta,1\n")
    assert "1 problem\n" in result.output


def test_a_payload_beyond_a_frame_is_refused_unless_it_may_be_cut(tmp_path: Path) -> None:
    traffic = f"{HEADER}\n0,alpha,beta,100\n0,alpha,beta,101\n"
    for row in ("mtu_bytes = 100", "mtu_bytes = 100\nfragmentation = false"):
        result = carry(tmp_path, NETWORK + row, traffic)
        assert result.exit_code == 3
        assert "row 2 (line 3): 101 bytes are more than the 100 that a frame on its way carries" in result.output
        assert "row 1" not in result.output
    assert carry(tmp_path, NETWORK + "mtu_bytes = 100\nfragmentation = true", traffic).exit_code == 0


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


def test_names_that_look_equal_are_equal(tmp_path: Path) -> None:
    """An e with an acute accent is one character or two (Unicode Standard Annex 15)."""
    network = NETWORK.replace("beta", "be\u0301ta")
    assert carry(tmp_path, network, f"{HEADER}\n0,alpha,b\u00e9ta,100\n").exit_code == 0
