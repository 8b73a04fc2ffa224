"""How the source is laid out: files have one subject, and no package reads another's private state."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import heptagrid

ROOT = Path(heptagrid.__file__).parent
LONGEST = 400  # lines of a file

# Documented names that begin with an underscore: of named tuples, of enumerations, of os.
PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_value_", "_exit"}

# What other programs keep private and we need all the same, by file.
OF_OTHERS = {
    "foundation/beside.py": {"_processes"},  # concurrent.futures: the process to end
    "foundation/compiled/kernel.py": {"_cache"},  # numba: where it keeps compiled code
    "foundation/compiled/array_shapes.py": {"_getvalue"},  # numba: the value of a typed array
    "foundation/compiled/shared_work.py": {"_getvalue"},  # numba: the same
    "importers/pandapower.py": {
        "_ppc",
        "_pd2ppc_lookups",
        "_impedance_bb_switches",
    },  # pandapower: its network as it solves it
    "scale/jobs.py": {"_processes"},  # concurrent.futures: the processes to end with a pool
    "validate/peers/pandapower.py": {"_from_ppc_lookups"},  # pandapower: which of its rows is which of ours
}

# Files that are still to be split.
TOO_LONG = {
    "tests/power/test_controls.py",
}


@cache
def sources() -> dict[str, ast.Module]:
    """Every module of the package, by its path."""
    found = sorted(ROOT.rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in found}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


def own_private_names(tree: ast.Module) -> set[str]:
    """The private methods and attributes of the classes of a module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef):
                    found.add(part.name)
                elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    found.add(part.target.id)
                elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and is_own(part.value):
                    found.add(part.attr)
    return {name for name in found if is_private(name)}


def is_own(value: ast.expr) -> bool:
    """Whether an attribute is of the object itself, or of the class it inherits from."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def private_reads(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Private names that a module takes from objects and modules which are not its own, with their lines."""
    own = own_private_names(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and is_private(node.attr)
            and not is_own(node.value)
            and node.attr not in own
        ):
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("heptagrid"):
            yield from ((one.name, node.lineno) for one in node.names if is_private(one.name))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(str(name.value)) and not is_own(node.args[0]):
                yield str(name.value), node.lineno


def test_nobody_reads_the_private_state_of_another_module() -> None:
    found = {(file, name, line) for file, tree in sources().items() for name, line in private_reads(tree)}
    read = {(file, name) for file, name, _ in found}
    of_others = {(file, name) for file, names in OF_OTHERS.items() for name in names}
    wrong = [f"{file}:{line} {name}" for file, name, line in sorted(found) if (file, name) not in of_others]
    assert not wrong, wrong
    assert of_others <= read, f"no longer needed: {sorted(of_others - read)}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(plane): return plane._queue", ["_queue"]),
        ("def f(plane): return getattr(plane, '_queue')", ["_queue"]),
        ("from heptagrid.planes import _queue", ["_queue"]),
        ("class A:\n    def f(self): return self._queue", []),
        ("class A:\n    def f(self): self._queue = 1\n    def g(self, other): return other._queue", []),
        ("def f(row): return row._replace(a=1)", []),
    ],
)
def test_private_state_is_found_where_it_is_read(text: str, names: list[str]) -> None:
    assert [name for name, _ in private_reads(ast.parse(text))] == names


def hidden_arguments(tree: ast.Module) -> Iterator[int]:
    """The lines of arguments that stand in a literal tuple or list, `f(*(a, b), c)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            hidden = (one for one in node.args if isinstance(one, ast.Starred))
            yield from (one.lineno for one in hidden if isinstance(one.value, ast.Tuple | ast.List))


def test_calls_do_not_hide_which_argument_is_which() -> None:
    found = {file: list(hidden_arguments(tree)) for file, tree in sources().items()}
    assert not {file: lines for file, lines in found.items() if lines}


def share_of_kernels_and_tables(tree: ast.Module, lines: int) -> float:
    """How much of a module is kernels, whose arithmetic would be hidden by splitting, or tables of data."""
    parts = [node for node in tree.body if is_kernel(node) or isinstance(node, ast.Assign | ast.AnnAssign)]
    return sum((node.end_lineno or 0) - node.lineno + 1 for node in parts) / lines


def is_kernel(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any("kernel" in ast.unparse(one) for one in node.decorator_list)


def test_files_have_at_most_400_lines() -> None:
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in sources()}
    for folder in ("benchmarks", "examples", "tests", "tools"):
        for path in (ROOT.parent / folder).rglob("*.py"):
            texts[path.relative_to(ROOT.parent).as_posix()] = path.read_text(encoding="utf-8")
    long = set()
    for file, text in texts.items():
        lines = len(text.splitlines())
        if lines > LONGEST and share_of_kernels_and_tables(ast.parse(text), lines) < 0.5:
            long.add(file)
    assert long <= TOO_LONG, f"split by subject: {sorted(long - TOO_LONG)}"
    assert long >= TOO_LONG, f"no longer too long: {sorted(TOO_LONG - long)}"
