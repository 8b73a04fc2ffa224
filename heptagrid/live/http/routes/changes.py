"""Changes of the grid from outside: what fails, is cut, jammed, stuck or switched, as the registry of changes declares it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from heptagrid.live.answers import ActionTold, ChangeShown, ChangesShown, FieldShown
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError
from heptagrid.live.http.routes.actions import told
from heptagrid.live.known_changes import KnownField, checked, known_changes

ROUTES = Routes("changes")


class ChangeGiven(Taken):
    """What is to change, from the next step on."""

    what: Annotated[str, Meta(max_length=100, description="name of a change, see GET /changes")]
    given: Annotated[dict[str, str | float | int | bool | None], Meta(description="its fields, see GET /changes")] = (
        msgspec.field(default_factory=dict)
    )
    by: Annotated[str, Meta(max_length=100, description="who makes it")] = "interface"
    wait_s: Annotated[
        float, Meta(ge=0.0, le=60.0, description="how long to wait until it is made, of the wall clock")
    ] = 2.0


@ROUTES.get("/changes")
async def changes(interface: Interface) -> ChangesShown:
    """List the changes that can be made, with their fields."""
    return ChangesShown(
        [
            ChangeShown(name, one.title, one.info, [_field(each) for each in one.fields])
            for name, one in known_changes().items()
        ]
    )


@ROUTES.post("/changes", 409)
async def change(interface: Interface, body: ChangeGiven) -> ActionTold:
    """Change the grid before its next step: 202 while it is not made, as when time stands still within a step."""
    known = known_changes()
    if body.what not in known:
        raise ProblemError(
            400, f"there is no change {body.what!r}", "what", f"write one of {', '.join(known) or 'none'}"
        )
    problem = checked(known[body.what], body.given)
    if problem is not None:
        raise ProblemError(400, f"{body.what}: {problem.detail}", f"given.{problem.field}", problem.remedy)
    grid = interface.grid

    async def work() -> int:
        await grid.change(body.what, body.given, body.by)
        return grid.now_ns

    action = await interface.actions.begin(f"change {body.what}", body.by, grid.now_ns, work, body.wait_s)
    if action.fate == "wrong":
        raise ProblemError(409, action.detail, "given", "see GET /changes and GET /devices for what there is")
    return told(action)


def _field(one: KnownField) -> FieldShown:
    return FieldShown(
        one.name,
        one.json_type,
        one.info,
        one.is_required,
        one.unit,
        one.default,
        one.low,
        one.high,
        list(one.choices) if one.choices else None,
    )
