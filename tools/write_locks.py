"""Write requirements.lock and requirements-test.lock: exact versions of what is installed, naming no index."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BUILD = ("hatchling", "editables")


def closure(roots: list[Requirement]) -> dict[str, str]:
    """Name to version of the roots and all that they need here."""
    found: dict[str, str] = {}
    waiting = [(one.name, one.extras) for one in roots]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extras = waiting.pop()
        installed = distribution(name)
        found[canonicalize_name(name)] = installed.version
        for extra in ("", *extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in installed.requires or []:
                need = Requirement(text)
                if need.marker is None or need.marker.evaluate({"extra": extra}):
                    waiting.append((need.name, need.extras))
    return found


def write(path: str, roots: list[Requirement]) -> None:
    found = closure(roots)
    found.pop("heptagrid", None)
    lines = ["# Written by `make lock`; exact versions for a repeatable set-up."]
    lines += [f"{name}=={found[name]}" for name in sorted(found)]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run = [Requirement("heptagrid[networks,live]"), *(Requirement(name) for name in BUILD)]
    write("requirements.lock", run)
    write("requirements-test.lock", [Requirement("heptagrid[test,peers]"), *run])
