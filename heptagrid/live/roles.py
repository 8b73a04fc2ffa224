"""Desks that programs outside play, and the built-in ones that hold when these are silent.

While a program plays a desk, what the built-in one would send for it is not sent (`contracts.desks`); markets, bills and settlement go on. A program that has not been
heard for 75 simulated minutes, as long as a set-point holds, is taken to be gone: the built-in desk works again, until it is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from heptagrid.contracts.desks import ROLES, Role
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.time import NS_PER_MINUTE

SILENT_NS = 75 * NS_PER_MINUTE
"""Simulated time after which a program is taken to be gone: that for which a set-point holds."""

TITLES: dict[Role, str] = {
    "head_end": "meter-data head end",
    "scada_master": "SCADA master",
    "retailer": "retailer",
    "aggregator": "aggregator",
}
BUILT_IN = "built in"


@dataclass
class Playing:
    """A program that plays a desk. since_ns, heard_ns: simulated, when it began and was last heard; is_silent: the built-in desk holds."""

    player: str
    since_ns: int
    heard_ns: int
    is_silent: bool = False


class Roles:
    """Who plays which desk; used by the event loop's thread alone."""

    def __init__(self, silence: Callable[[Role, bool], None]) -> None:
        """Set up; silence: called with a role and whether its built-in desk is to be silent."""
        self._silence = silence
        self._playing: dict[Role, Playing] = {}

    def declare(self, role: str, player: str, now_ns: int) -> Playing:
        """A program plays a desk from now on; one that played it before is gone.

        Raises
        ------
        UsageError
            For a role that does not exist.
        """
        of = role_named(role)
        before = self._playing.get(of)
        self._playing[of] = Playing(player, now_ns, now_ns)
        if before is None or before.is_silent:
            self._silence(of, True)
        return self._playing[of]

    def release(self, role: str) -> None:
        """The built-in desk plays again."""
        gone = self._playing.pop(role_named(role), None)
        if gone is not None and not gone.is_silent:
            self._silence(role_named(role), False)

    @property
    def are_played(self) -> bool:
        """Whether anybody outside plays a desk."""
        return bool(self._playing)

    def heard(self, role: Role, now_ns: int) -> None:
        """Whoever plays a desk has done something."""
        playing = self._playing.get(role)
        if playing is None:
            return
        playing.heard_ns = max(playing.heard_ns, now_ns)
        if playing.is_silent:
            playing.is_silent = False
            self._silence(role, True)

    def look(self, now_ns: int) -> None:
        """Let the built-in desks hold where a program has been silent for too long."""
        for role, playing in self._playing.items():
            if not playing.is_silent and now_ns - playing.heard_ns >= SILENT_NS:
                playing.is_silent = True
                self._silence(role, False)

    def playing(self, role: Role) -> Playing | None:
        """Who plays a desk from outside, heard or silent."""
        return self._playing.get(role)

    def from_outside(self) -> dict[str, str]:
        """Who plays a desk from outside now, by role."""
        return {role: player for role, player in self.words().items() if player != BUILT_IN}

    def words(self) -> dict[str, str]:
        """Who plays whom now, by role."""
        return {
            role: BUILT_IN if (one := self._playing.get(role)) is None or one.is_silent else one.player
            for role in TITLES
        }


def role_named(name: str) -> Role:
    """A role by its name.

    Raises
    ------
    UsageError
    """
    for role in ROLES:
        if role == name:
            return role
    raise UsageError(f"there is no role {name!r}; there are {', '.join(ROLES)}")


def role_between(sender: Domain, receiver: Domain) -> Role | None:
    """Whose role it is to send from one domain to another; providers' is known by their endpoint alone."""
    if sender is not Domain.OPERATIONS:
        return None
    return "head_end" if receiver is Domain.CUSTOMERS else "scada_master"
