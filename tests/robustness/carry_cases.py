"""Communication networks and traffic at the edges of what is allowed, for `carry`: python -m tests.robustness.carry_cases SEED COUNT.

Every number of a method of access, of its sending and of the traffic is drawn from its bounds: the least, the most, what is
between on a logarithmic scale, or what is usual. What is carried must end, add up, and arrive after it was sent.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.tables import HORIZON
from heptagrid.planes.messages.technology import technologies
from heptagrid.studies.carry.api import Carried, carry_messages
from heptagrid.studies.carry.network_file import build_network
from heptagrid.studies.carry.traffic_file import WORDS
from tests.carry.networks import traffic_of
from tests.carry.reference import Message

S = 1_000_000_000
METHODS = {
    name: {"access": name, "rate_bps": 1e5, "slot_s": 0.01}
    for name in ("csma", "csma-ca", "slotted-csma-ca", "dcf", "aloha", "slotted-aloha", "tdma", "queue")
}
SHARED = {name: {"technology": name} for name, facts in technologies().items() if facts.medium is not None}
MEDIA = {**METHODS, **SHARED}
CONSTANTS = {name: one for name, _, _, one in declarations(Medium) if name != "exponents"}
WHOLE = {name for name, _, default, _ in declarations(Medium) if isinstance(default, int)}
SENDING = {
    "rate_bps": Declaration("", "", 1.0, 1e15, None, "docs/carry.md"),
    "delay_s": Declaration("", "", 0.0, 1e6, None, "docs/carry.md"),
    "loss": Declaration("", "", 0.0, 1.0, None, "docs/carry.md"),
    "retries": Declaration("", "", 0, 200, None, "docs/carry.md"),
    "priorities": Declaration("", "", 1, 1000, None, "docs/carry.md"),
    "queue_packets": Declaration("", "", 0, 10**9, None, "docs/carry.md"),
    "header_bytes": Declaration("", "", 0, 10**6, None, "docs/carry.md"),
    "mtu_bytes": Declaration("", "", 1, 10**9, None, "docs/carry.md"),
}
WHOLE_SENDING = set(SENDING) - {"rate_bps", "delay_s", "loss"}
STRANGE: tuple[Any, ...] = (
    *(
        math.nan,
        math.inf,
        -math.inf,
        -1,
        0,
        -0.0,
        1e-320,
        1e-7,
        1e10,
        1e300,
        2**63 - 1,
        0.5,
        2,
        True,
        "1",
        "",
        [],
        [1, 2],
    ),
    *([5, 3], [0, 300], {}, 10**6),
)
EVENTS = 200_000  # of a case: what would take more is made smaller


def _drawn(random: np.random.Generator, bounds: Declaration, is_whole: bool) -> float | int:
    """A number within its bounds, often at one of them."""
    low = float(bounds.least if bounds.least is not None else bounds.low or 0.0)
    high = float(bounds.high) if bounds.high is not None and math.isfinite(bounds.high) else 1e9
    kind = random.integers(4)
    if kind == 0:
        found = float(bounds.low or 0.0)
    elif kind == 1:
        found = float(bounds.high) if bounds.high is not None else high
    else:
        least = max(low, high * 1e-12)
        found = math.exp(random.uniform(math.log(least), math.log(high)))
    return int(found) if is_whole else found


def case(seed: int) -> tuple[dict[str, Any], list[Message]]:
    """A network's tables and its messages."""
    random = np.random.default_rng(seed)
    names = ["base", "a", "b", "c"]
    far_m = float(random.choice([0.0, 10.0, 100.0, 1e9]))
    nodes = [{"name": name, "x_m": k * far_m, "y_m": random.random()} for k, name in enumerate(names)]
    row: dict[str, Any] = {"members": names, **MEDIA[str(random.choice(list(MEDIA)))]}
    for key in random.choice(list(CONSTANTS), int(random.integers(0, 4)), replace=False).tolist():
        row[key] = _drawn(random, CONSTANTS[key], key in WHOLE)
    for key in random.choice(list(SENDING), int(random.integers(0, 3)), replace=False).tolist():
        row[key] = _drawn(random, SENDING[key], key in WHOLE_SENDING)
    if random.random() < 0.3:
        row["exponents"] = sorted(random.integers(0, 21, 2).tolist())
    if random.random() < 0.2:
        row["fragmentation"] = True
    if random.random() < 0.15:
        row[str(random.choice([*CONSTANTS, *SENDING, "exponents"]))] = STRANGE[int(random.integers(len(STRANGE)))]
    row["back_offs"] = min(row["back_offs"], 1000) if isinstance(row.get("back_offs"), int) else 5
    links = [{"from": a, "to": b, "rate_bps": 1e6} for a, b in (("base", "far"), ("far", "base"))]
    for key in random.choice(list(SENDING), int(random.integers(0, 3)), replace=False).tolist():
        links[0][key] = _drawn(random, SENDING[key], key in WHOLE_SENDING)  # type: ignore[assignment]
    tables: dict[str, Any] = {"node": [*nodes, {"name": "far"}], "medium": [row], "link": links}
    if random.random() < 0.3:
        tables["outage"] = [_outage(random, [*names, "far"]) for _ in range(int(random.choice([1, 3, 300])))]
    return tables, _messages(random)


def _outage(random: np.random.Generator, names: list[str]) -> dict[str, Any]:
    begin_s = float(random.choice([random.random() * 10.0, random.random() * 1e5]))
    return {
        "node": str(random.choice(names)),
        "begin_s": begin_s,
        "end_s": begin_s + float(random.choice([1e-9, 0.01, 1e5])),
    }


def _messages(random: np.random.Generator) -> list[Message]:
    """Up to sixty messages, some at one time, some late, a few long."""
    found = []
    spread_s = float(random.choice([0.0, 1.0, 1e4, 4.9e9]))
    for k in range(int(random.integers(0, 60))):
        source = int(random.integers(0, 5))
        size = int(random.choice([1, 20, 125, 1500, 65_535], p=[0.2, 0.3, 0.3, 0.15, 0.05]))
        to = (source + int(random.integers(1, 5))) % 5
        found.append(Message(k, round(random.random() * spread_s * S), source, to, size, int(random.integers(0, 3))))
    return found


def check(seed: int) -> str:
    """Carry a case: "carried" or "refused".

    Raises
    ------
    AssertionError
        If something is lost without a cause, or arrives before it was sent or after the end of the clock.
    """
    tables, messages = case(seed)
    frames = sum(-(-each.size_bytes // max(1, _payload(tables["medium"][0]))) for each in messages)
    if frames > EVENTS // 200:
        messages = [each for each in messages if each.size_bytes <= 125][:10]
    try:
        found = carry_messages(build_network(tables, "network"), traffic_of(messages), "traffic", seed)
    except FileError:
        return "refused"
    _obey(found, messages)
    return "carried"


def _payload(row: dict[str, Any]) -> int:
    given = row.get("mtu_bytes", 50)
    return given if type(given) is int and given > 0 else 50


def _obey(found: Carried, messages: list[Message]) -> None:
    counts: Any = found.summary()
    assert counts["sent"] == len(messages) == sum(counts[word] for word in WORDS)
    sent_ns = np.array([each.sent_ns for each in messages], dtype=np.int64)
    has_come = found.delivered_ns >= 0
    assert (has_come == (found.status == 0)).all()
    assert (found.delivered_ns[has_come] >= sent_ns[has_come]).all()
    assert (found.delivered_ns < HORIZON).all()
    assert (found.hops >= 0).all()


def main() -> None:
    """Check many cases; print one line, with the seeds that break a law."""
    first, count = int(sys.argv[1]), int(sys.argv[2])
    ends: dict[str, int] = {}
    wrong = []
    for seed in range(first, first + count):
        try:
            end = check(seed)
        except Exception as fault:
            end = "wrong"
            wrong.append(f"seed {seed}: {type(fault).__name__} {fault}"[:200])
        ends[end] = ends.get(end, 0) + 1
    print(f"carry: seeds {first} to {first + count - 1}, {ends}", *wrong[:20], sep="\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
