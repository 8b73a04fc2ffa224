"""Seals: a run's manifest carries a hash of every file that the run wrote, and one of itself; so does an arm's record in a sweep.

They tell damage, a mixture of two runs and a change by hand from what the run wrote. They prove nothing against somebody who
makes the hashes anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SEAL, CONTENTS = "seal", "contents"


def vouching(manifest: Mapping[str, Any], files: Iterable[Path] = ()) -> dict[str, Any]:
    """The manifest with a hash of each of the files in its folder, by name, and one of itself."""
    return sealed({**manifest, CONTENTS: {path.name: hash_of(path) for path in files}})


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """JSON content with a hash of itself."""
    bare = _without_seal(content)
    return bare | {SEAL: _hash_of_json(bare)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether JSON content is as it was written."""
    return SEAL in content and content[SEAL] == _hash_of_json(_without_seal(content))


def _without_seal(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name != SEAL}


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of_json(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
