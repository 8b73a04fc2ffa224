"""A program of its own over pyc37, a data concentrator: `python pyc37_client.py HOST PORT ID`; prints JSON.

It takes a frequency in floating point for a deviation, and refuses 50 Hz (reported of pypmu, from which it comes): that check alone is widened here.
"""

import json
import sys
from struct import pack, unpack
from typing import Any

from pyc37.frame import DataFrame
from pyc37.pdc import Pdc

FRAMES = 30
DataFrame._freq2int = lambda freq, data_format: unpack("!I", pack("!f", float(freq)))[0]


def main(host: str, port: int, id: int) -> dict[str, Any]:
    pdc = Pdc(pdc_id=id, pmu_ip=host, pmu_port=port, buffer_size=4)  # more, and it takes several frames for one
    pdc.run()
    header = pdc.get_header().get_header()
    first = pdc.get_config("cfg1")
    second = pdc.get_config("cfg2")
    pdc.start()
    told = []
    for _ in range(FRAMES):
        frame = pdc.get()
        assert isinstance(frame, DataFrame), type(frame)
        told.append(
            [
                frame.get_soc(),
                frame.get_frasec(),
                frame.get_stat()[0],
                frame.get_phasors(),
                frame.get_freq(),
                frame.get_dfreq(),
                frame.get_analog(),
                frame.get_digital(),
            ]
        )
    pdc.stop()
    pdc.quit()
    return {
        "header": header,
        "alike": first.get_channel_names() == second.get_channel_names(),
        "station": second.get_station_name(),
        "channels": second.get_channel_names(),
        "rate": second.get_data_rate(),
        "nominal_hz": second.get_fnom(),
        "told": told,
    }


print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
