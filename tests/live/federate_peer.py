"""A second federate in a process of its own: draws a power in the grid that follows the voltage which the grid publishes, and prints what it saw."""

from __future__ import annotations

import json
import sys

import helics as h


def main(port: str, steps: str, step_s: str) -> None:
    about = h.helicsCreateFederateInfo()
    h.helicsFederateInfoSetCoreTypeFromString(about, "zmq")
    h.helicsFederateInfoSetCoreInitString(about, f"--federates=1 --broker_address=tcp://127.0.0.1:{port}")
    h.helicsFederateInfoSetTimeProperty(about, h.HELICS_PROPERTY_TIME_PERIOD, float(step_s))
    federate = h.helicsCreateValueFederate("charger", about)
    power = h.helicsFederateRegisterGlobalPublication(federate, "charger/p_kw", h.HELICS_DATA_TYPE_DOUBLE, "kW")
    reactive = h.helicsFederateRegisterGlobalPublication(federate, "charger/q_kvar", h.HELICS_DATA_TYPE_DOUBLE, "kVAR")
    voltage, drawn, infeed = (
        h.helicsFederateRegisterSubscription(federate, key, "") for key in ("grid/v", "grid/customer", "grid/infeed")
    )
    h.helicsFederateEnterExecutingMode(federate)
    seen = []
    for k in range(int(steps)):
        h.helicsPublicationPublishDouble(power, 20.0 if k >= int(steps) // 2 else 0.0)
        h.helicsPublicationPublishDouble(reactive, 5.0 if k >= int(steps) // 2 else 0.0)
        at_s = h.helicsFederateRequestTime(federate, (k + 1) * float(step_s))
        seen.append([at_s, *(h.helicsInputGetDouble(one) for one in (voltage, drawn, infeed))])
    h.helicsFederateDisconnect(federate)
    print(json.dumps(seen))


main(*sys.argv[1:])
