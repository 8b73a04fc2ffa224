"""Automatic on-load tap changer of the primary substation: one controller for parallel transformers.

The standard voltage regulator of a primary substation (bandwidth, then a delay, then one step at a time),
as described in EN 50160 practice guides and Kundur (1994), section 11.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter


@dataclass(frozen=True)
class Parameters:
    """How the tap changer regulates the medium-voltage busbar."""

    target_pu: float = parameter(
        1.025,
        info="voltage held at the medium-voltage busbar; the smart arm's operations may move it",
        unit="pu",
        low=0.9,
        high=1.1,
        source="SimBench: the set-point of the infeed of 1-MVLV-semiurb (1.025 pu), taken for the busbar: assumption",
    )
    bandwidth_pu: float = parameter(
        0.0125,
        info="half-width of the band in which nothing happens; more than half a tap step, against hunting",
        unit="pu",
        low=0.001,
        high=0.1,
        source="assumption: 0.8 of a 1.5 % tap step, within the usual 0.6 to 1 of a step",
    )
    delay_s: float = parameter(
        60.0,
        info="how long the voltage must stay outside the band before one step",
        unit="s",
        low=0.0,
        high=600.0,
        source="Kundur (1994) section 11.2: 30 to 120 s for the first tap (source not read)",
    )


class TapChanger:
    """The controller of one bank of parallel transformers; all its units step together."""

    def __init__(self, parameters: Parameters, tap: int, tap_min: int, tap_max: int) -> None:
        self.parameters = parameters
        self.target_pu = parameters.target_pu
        self.tap = tap
        self.operations = 0
        self.is_manual = False
        self._tap_min = tap_min
        self._tap_max = tap_max
        self._outside_s = 0.0

    def move(self, steps: int) -> bool:
        """Move by hand; whether the tap is there."""
        if not self._tap_min <= self.tap + steps <= self._tap_max:
            return False
        self.tap += steps
        self.operations += abs(steps)
        self._outside_s = 0.0
        return True

    def regulate(self, v_pu: float, dt_s: float) -> int:
        """Look at the busbar for `dt_s` seconds and return the tap for the next step.

        A tap on the high-voltage side: a higher position lowers the busbar's voltage.
        """
        if self.is_manual:
            return self.tap
        deviation_pu = v_pu - self.target_pu
        if abs(deviation_pu) <= self.parameters.bandwidth_pu:
            self._outside_s = 0.0
            return self.tap
        self._outside_s += dt_s
        if self._outside_s >= self.parameters.delay_s:
            wanted = self.tap + (1 if deviation_pu > 0 else -1)
            if self._tap_min <= wanted <= self._tap_max:
                self.tap = wanted
                self.operations += 1
            self._outside_s = 0.0
        return self.tap
