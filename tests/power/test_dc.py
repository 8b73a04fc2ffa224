"""Distribution factors of the DC network: against flows solved anew, and against another program's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.scenario.load import BULK
from heptagrid.world.bulk import BulkSystem


@pytest.fixture(scope="module")
def system() -> BulkSystem:
    return read_bulk(BULK)


def network_of(system: BulkSystem, without: int | None = None) -> DcNetwork:
    keep = np.arange(len(system.branch_from)) != (-1 if without is None else without)
    ends = system.branch_from[keep], system.branch_to[keep]
    x_pu, ratio = system.branch_x_pu[keep], system.branch_ratio[keep]
    return DcNetwork(len(system.bus_numbers), *ends, np.zeros(keep.sum()), x_pu, ratio, 100.0)


def random_network(seed: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """A tree with some more branches, some of them parallel: so some branches are bridges and some are not."""
    rng = np.random.default_rng(seed)
    buses = int(rng.integers(2, 14))
    up = np.array([rng.integers(0, k) for k in range(1, buses)])
    more = int(rng.integers(0, buses))
    one, other = rng.integers(0, buses, more), rng.integers(0, buses, more)
    real = one != other
    from_bus, to_bus = np.concatenate([up, one[real]]), np.concatenate([np.arange(1, buses), other[real]])
    return buses, from_bus, to_bus, rng.uniform(0.01, 1.0, len(from_bus))


def test_a_transfer_changes_the_flows_by_the_factors(system: BulkSystem) -> None:
    network = network_of(system)
    before = np.zeros(73)
    transfer = before.copy()
    transfer[[3, 17]] = 50.0, -50.0
    for slack in (17, 0):
        moved = network.ptdf(slack) @ transfer
        assert moved == pytest.approx(network.solve(transfer).flow_mw, abs=1e-10), "whatever the slack"
    assert (network.ptdf(5)[:, 5] == 0.0).all()
    share = np.linspace(0.0, 1.0, 73)
    alone = np.zeros(73)
    alone[2] = 30.0
    spread = alone - 30.0 * share / share.sum()
    assert network.ptdf(share) @ alone == pytest.approx(network.solve(spread).flow_mw, abs=1e-10)


def test_flows_after_an_outage_are_those_of_the_network_without_the_branch(system: BulkSystem) -> None:
    network = network_of(system)
    injection = np.random.default_rng(3).normal(0.0, 100.0, 73)
    injection -= injection.mean()
    flow = network.solve(injection).flow_mw
    for branch in np.flatnonzero(~network.bridges):
        anew = network_of(system, int(branch)).solve(injection).flow_mw
        after = network.flow_without_mw(flow, int(branch))
        assert after[branch] == pytest.approx(0.0, abs=1e-9)
        assert np.delete(after, branch) == pytest.approx(anew, abs=1e-8)


def test_the_loss_of_a_radial_branch_is_reported(system: BulkSystem) -> None:
    network = network_of(system)
    radial = np.flatnonzero(network.bridges)
    # Bus 7 of two regions hangs on one branch, from its bus 8; that of the first has a line to the second region as well.
    assert {(system.bus_numbers[system.branch_from[k]], system.bus_numbers[system.branch_to[k]]) for k in radial} == {
        (207, 208),
        (307, 308),
    }
    assert np.isnan(network.lodf[:, radial]).all() and not np.isnan(np.delete(network.lodf, radial, axis=1)).any()
    with pytest.raises(
        NetworkError, match=r"branch \d+ \(bus 30 to 31\) has no parallel way: its loss leaves an island"
    ):
        network.flow_without_mw(np.zeros(len(system.branch_from)), int(radial[0]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_bridges_are_the_branches_whose_loss_leaves_an_island(seed: int) -> None:
    buses, from_bus, to_bus, x_pu = random_network(seed)
    ones, none = np.ones(len(x_pu)), np.zeros(len(x_pu))
    network = DcNetwork(buses, from_bus, to_bus, none, x_pu, ones, 100.0)
    for branch in range(len(x_pu)):
        keep = np.arange(len(x_pu)) != branch
        rest = (from_bus[keep], to_bus[keep], none[keep], x_pu[keep], ones[keep])
        if network.bridges[branch]:
            with pytest.raises(NetworkError, match="island"):
                DcNetwork(buses, *rest, 100.0)
        else:
            injection = np.linspace(-1.0, 1.0, buses) - np.linspace(-1.0, 1.0, buses).mean()
            anew = DcNetwork(buses, *rest, 100.0).solve(injection).flow_mw
            after = network.flow_without_mw(network.solve(injection).flow_mw, branch)
            assert np.delete(after, branch) == pytest.approx(anew, abs=1e-8)


def test_bad_networks_are_named(system: BulkSystem) -> None:
    one = np.array([0]), np.array([1]), np.zeros(1)
    with pytest.raises(NetworkError, match="branch 0 has no reactance"):
        DcNetwork(2, *one, np.zeros(1), np.ones(1), 100.0)
    with pytest.raises(NetworkError, match="island"):
        DcNetwork(3, *one, np.ones(1), np.ones(1), 100.0)
    network = network_of(system)
    with pytest.raises(NetworkError, match="bus 73, and the buses are 0 to 72"):
        network.ptdf(73)
    with pytest.raises(NetworkError, match="shares"):
        network.ptdf(np.zeros(73))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the peer's own, of its old cases
@pytest.mark.parametrize("name", ["case24_ieee_rts", "case118", "case300"])
def test_factors_are_those_of_matpower(name: str) -> None:
    """pandapower carries PYPOWER's makePTDF and makeLODF, translations of MATPOWER's."""
    networks = pytest.importorskip("pandapower.networks")
    from pandapower.converter.pypower import to_ppc
    from pandapower.pypower.makeLODF import makeLODF
    from pandapower.pypower.makePTDF import makePTDF

    ppc = to_ppc(getattr(networks, name)(), init="flat", calculate_voltage_angles=True)
    bus, branch = ppc["bus"], ppc["branch"].real
    branch = branch[branch[:, 10] == 1]
    ends = branch[:, 0].astype(int), branch[:, 1].astype(int)
    assert (bus[:, 0] == np.arange(len(bus))).all()
    ratio = np.where(branch[:, 8] == 0.0, 1.0, branch[:, 8])
    network = DcNetwork(len(bus), *ends, branch[:, 2], branch[:, 3], ratio, ppc["baseMVA"])
    slack = int(np.flatnonzero(bus[:, 1] == 3)[0])
    theirs = makePTDF(ppc["baseMVA"], bus, branch, slack)
    assert network.ptdf(slack) == pytest.approx(theirs, abs=1e-8)
    with np.errstate(all="ignore"):
        outages = makeLODF(branch, theirs)
    through = ~network.bridges
    assert network.lodf[:, through] == pytest.approx(outages[:, through], abs=1e-6)
    # A bridge carries the whole of a transfer between its ends, so theirs divide by what rounding leaves of zero.
    own = theirs[np.arange(len(branch)), ends[0]] - theirs[np.arange(len(branch)), ends[1]]
    assert ((np.abs(1.0 - own) < 1e-9) == network.bridges).all()
