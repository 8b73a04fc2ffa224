"""Files of bids: what is read, and what is refused by line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from heptagrid.cli import main


def call(path: Path, text: str | bytes, *options: str) -> Result:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return CliRunner().invoke(main, ["clear", str(path), *options])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bids.csv"


def test_price_and_quantity_are_in_the_json(path: Path) -> None:
    done = call(path, "side,price,quantity\nbuy,50,10\nsell,30,4\nsell,30,4\nsell,45,4\n", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["status"], said["price"], said["cleared_quantity"]) == ("optimal", 45.0, 10.0)
    assert said["total_cost"] == pytest.approx(-170.0) and said["surplus"] == pytest.approx(170.0)
    assert [row["quantity"] for row in said["quantities"]] == [10.0, 4.0, 4.0, 2.0]


def test_periods_have_a_price_each_and_blocks_join_them(path: Path, tmp_path: Path) -> None:
    text = "id;Period;Side;Price;Quantity;Block\na;1;Buy;50;5;\nb;1;Sell;30;5;x\nc;2;BID;20;5;\nd;2;ask;10;5;x\n\n"
    done = call(path, text, "--json", "--out", str(tmp_path / "p.csv"))
    said = json.loads(done.stdout)
    assert [(row["period"], row["price"]) for row in said["prices"]] == [
        ("1", pytest.approx(50.0)),
        ("2", pytest.approx(20.0)),
    ]
    assert [row["id"] for row in said["quantities"]] == ["a", "b", "c", "d"]
    assert (tmp_path / "p.csv").read_text().splitlines()[0] == "period,price,quantity,low,high"
    assert "price" not in said


def test_a_block_of_1_is_each_row_by_itself(path: Path) -> None:
    done = call(path, "side,price,quantity,block\nbuy,50,5,0\nsell,30,5,1\nsell,20,9,1\n", "--json")
    assert [row["quantity"] for row in json.loads(done.stdout)["quantities"]] == [5.0, 5.0, 0.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; write the columns side,price,quantity"),
        ("\n \n", "is empty"),
        ("side,price,quantity\n", "no rows below its header"),
        ("side,prize,quantity\nbuy,1,1\n", "column price is missing; did you mean prize?"),
        ("a,b\n1,2\n", "column side is missing"),
        ("side,price,price,quantity\nbuy,1,1,1\n", "column price stands there more than once"),
        ("side,price,quantity\nbuy,1,1\nhold,1,1\n", "line 3: side is 'hold'; buy or sell is expected"),
        ("side,price,quantity\nbuy,NaN,1\n", "line 2: price is 'NaN'; a number"),
        ("side,price,quantity\nbuy,inf,1\n", "line 2: price is 'inf'"),
        ("side,price,quantity\nbuy,,1\n", "line 2: price is empty"),
        ("side,price,quantity\nbuy,ten,1\n", "line 2: price is 'ten'"),
        ("side,price,quantity\nbuy,1,-5\n", "line 2: quantity is '-5'; a number from 0"),
        ("side,price,quantity\nbuy,1\n", "line 2: has 2 of 3 columns"),
        ("side,price,quantity\n\nbuy,1,1\n\nsell,x,1\n", "line 5: price is 'x'"),
        (b"side,price,quantity\nbuy,1,\xff\n", "is not text in UTF-8 (line 2)"),
        (b"\0\0\0\0\0\0\0\0", "zero bytes"),
    ],
)
def test_what_is_wrong_is_told_by_line(path: Path, text: str | bytes, said: str) -> None:
    done = call(path, text)
    assert done.exit_code == 3, done.output
    assert said in done.stderr and "Traceback" not in done.output


def test_all_problems_come_at_once(path: Path) -> None:
    done = call(path, "side,price,quantity\nhold,x,-1\nbuy,1,y\n")
    assert "4 problems" in done.stderr


def test_options_of_networks_are_refused(path: Path) -> None:
    done = call(path, "side,price,quantity\nbuy,1,1\n", "--network", "dc")
    assert done.exit_code == 2 and "--network has no effect on double-auction" in done.stderr
    assert call(path, "side,price,quantity\nbuy,1,1\n", "--branches", "b.csv").exit_code == 2
    assert call(path, "side,price,quantity\nbuy,1,1\n", "--rule", "dc-opf").exit_code == 2
