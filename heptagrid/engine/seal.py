"""Seals of a run's folder: its manifest carries a hash of every file that the run wrote, and one of itself.

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


def sealed(manifest: Mapping[str, Any], files: Iterable[Path] = ()) -> dict[str, Any]:
    """The manifest with a hash of each of the files in its folder, by name, and one of itself."""
    content = {name: value for name, value in manifest.items() if name != SEAL}
    content[CONTENTS] = {path.name: hash_of(path) for path in files}
    return content | {SEAL: _hash_of_json(content)}


def is_sealed(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is as it was written."""
    content = {name: value for name, value in manifest.items() if name != SEAL}
    return SEAL in manifest and manifest[SEAL] == _hash_of_json(content)


def hash_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of_json(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
