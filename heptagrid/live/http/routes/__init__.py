"""The interface's endpoints, a module a subject."""

from heptagrid.live.http.routes import actions, changes, clock, devices, document, messages, money, peers, roles, state

SUBJECTS = (
    document.ROUTES,
    clock.ROUTES,
    state.ROUTES,
    devices.ROUTES,
    actions.ROUTES,
    changes.ROUTES,
    messages.ROUTES,
    peers.ROUTES,
    roles.ROUTES,
    money.ROUTES,
)
ENDPOINTS = [endpoint for one in SUBJECTS for endpoint in one.endpoints]
