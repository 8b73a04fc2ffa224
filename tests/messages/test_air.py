"""A shared channel forgets what is over."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.planes.messages.media import IEEE_802_15_4, Medium
from heptagrid.validate.carried import carried, shared


@pytest.mark.parametrize(
    "settings",
    [
        Medium(access="aloha"),
        Medium(access="slotted-aloha", slot_s=1e-3),
        Medium(access="class-a"),
        IEEE_802_15_4,
    ],
    ids=lambda settings: settings.access,
)
def test_frames_far_apart_never_collide_however_many_there_are(settings: Medium) -> None:
    sent_ns = np.arange(400) * 10**9
    network = shared(2, settings, rate_bps=1e6, spreading=7 if settings.has_base else None)
    come = carried(network, sent_ns, source=1 + np.arange(len(sent_ns)) % 2, destination=0, size_bytes=20)
    assert (come.status == 0).all()
