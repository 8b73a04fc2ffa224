"""Who plays whom: desks that programs outside play, and the built-in ones that hold when these are silent."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from heptagrid.contracts.desks import Role
from heptagrid.live.answers import RoleShown, RolesShown
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError
from heptagrid.live.roles import BUILT_IN, SILENT_NS, TITLES

ROUTES = Routes("roles")


class RoleGiven(Taken):
    """A program plays a desk from now on, in place of the built-in one and of any that played it before."""

    role: Role
    player: Annotated[str, Meta(min_length=1, max_length=100, description="name of the program, for people")]


class RoleNamed(Taken):
    """Which desk."""

    role: Role


@ROUTES.get("/roles")
async def roles(interface: Interface) -> RolesShown:
    """Show who plays whom."""
    return RolesShown([_shown(interface, role) for role in TITLES])


@ROUTES.post("/roles")
async def declare_role(interface: Interface, body: RoleGiven) -> RolesShown:
    """Declare that a program plays a desk: what the built-in one would send for it is not sent, while the program is heard."""
    if body.player == BUILT_IN:
        raise ProblemError(400, "this is the name of the built-in desks", "player", "write another, or DELETE the role")
    interface.grid.roles.declare(body.role, body.player, interface.grid.now_ns)
    return await roles(interface)


@ROUTES.post("/roles/{role}/alive", 404, 409)
async def role_alive(interface: Interface, path: RoleNamed) -> RolesShown:
    """Give a sign of life of a program that plays a desk and has nothing to send."""
    if interface.grid.roles.playing(path.role) is None:
        raise ProblemError(409, f"no program plays the {TITLES[path.role]}", "role", "declare one with POST /roles")
    interface.grid.roles.heard(path.role, interface.grid.now_ns)
    return await roles(interface)


@ROUTES.delete("/roles/{role}", 404)
async def release_role(interface: Interface, path: RoleNamed) -> RolesShown:
    """Give a desk back to the built-in one."""
    interface.grid.roles.release(path.role)
    return await roles(interface)


def _shown(interface: Interface, role: Role) -> RoleShown:
    one = interface.grid.roles.playing(role)
    player = BUILT_IN if one is None else one.player
    return RoleShown(
        role,
        TITLES[role],
        player,
        BUILT_IN if one is None or one.is_silent else player,
        one.since_ns if one else None,
        one.heard_ns if one else None,
        one is not None and one.is_silent,
        SILENT_NS / 1e9,
    )
