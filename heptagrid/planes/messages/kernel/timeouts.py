"""How long a sender waits for an acknowledgement before it sends again: the dithered, doubling time-outs of CoAP.

The first wait is drawn evenly between a kind's time-out and that times the random factor; each further one is twice as long as
the one before. Who sent together does not repeat together. Source: RFC 7252 section 4.2, whose ACK_RANDOM_FACTOR is 1.5.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import Stream, uniform
from heptagrid.planes.messages.tables import KIND, NUMBER, SOURCE, TIMEOUT

ACK_RANDOM_FACTOR = 1.5

_TIME_OUT = int(Stream.TIME_OUT)


@kernel(allocates=False)
def first_timeout_ns(state, row, facts, seed):  # type: ignore[no-untyped-def]
    """The first wait for the acknowledgement of the message in a row of the state: the same in both arms of a run."""
    kind = state[row, KIND]
    drawn = uniform(seed, _TIME_OUT, (state[row, SOURCE] << np.int64(8)) | kind, state[row, NUMBER])
    return facts[kind, TIMEOUT] + np.int64(drawn * (ACK_RANDOM_FACTOR - 1.0) * facts[kind, TIMEOUT])
