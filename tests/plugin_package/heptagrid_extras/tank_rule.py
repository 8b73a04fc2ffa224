"""Water heaters bid into a local market: the ramp of a thermostat for what a tank lacks to half full."""

import numpy as np

from heptagrid.domains.customers.bidding.heat_pumps import ramp_price
from heptagrid.domains.customers.bidding.rule import BidRule, Curves


class TankRule(BidRule["WaterHeaters"]):
    """Below a quarter a tank takes any price."""

    def bids(self, device, rows, outlook, interval):
        one, heat_kwh = device.parameters, device.tanks.heat_kwh[rows]
        kw = np.minimum((one.tank_kwh - heat_kwh) / interval.hours, one.heater_kw)
        must = heat_kwh < 0.25 * one.tank_kwh
        price = ramp_price(outlook, 0.5 - heat_kwh / one.tank_kwh, band_k=0.5, ramp=2.0)
        return Curves.buying(np.where(must, 0.0, kw), price, price, np.where(must, kw, 0.0))
