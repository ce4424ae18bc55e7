"""The house: wings on floors, imports downwards only, and rooms of a size to read."""

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "trajbatt"
FLOORS = {
    "base": 1,
    "kernels": 1,
    "numerics": 2,
    "light": 2,
    "models": 3,
    "states": 4,
    "plots": 4,
    "exact": 5,
    "trajectories": 5,
    "exchange": 5,
    "counting": 6,
    "inference": 6,
    "ensembles": 7,
    "photons": 8,
    "analysis": 9,
    "reports": 10,
    "commandline": 11,
}
OUTSIDE = {"__init__.py", "__init__.pyi", "__main__.py", "py.typed"}
# Wings whose names are asked for by the name of the wing, or of a module.
PUBLIC = {"counting", "photons", "exchange", "models", "states", "plots"}
# What depends on the kind of a model is asked of the model, or looked up here.
KINDS = {"LadderModel", "BandedModel", "Protocol"}
KNOW_KINDS = {
    "models/protocol.py",
    "exact/systems.py",
    "exact/driven.py",
    "trajectories/methods.py",
    "inference/observers.py",
}


def files(wing="."):
    return sorted(path for path in (PACKAGE / wing).rglob("*.py"))


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree_of(path):
    return ast.parse(path.read_text())


def file_of(dotted):
    """Return the file of a module of the package, None if there is none of this name."""
    place = PACKAGE.joinpath(*dotted.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.exists():
            return name_of(path)
    return None


@cache
def imports_of(path):
    """Return the modules of the package that a file imports anywhere, as names of files."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import in {name_of(path)}"
            dotted = [(f"{node.module}.{alias.name}", node.module) for alias in node.names]
        elif isinstance(node, ast.Import):
            dotted = [(alias.name, alias.name) for alias in node.names]
        else:
            continue
        for module, holder in dotted:
            if module.split(".")[0] == "trajbatt":
                name = file_of(module) or file_of(holder)
                assert name, f"{name_of(path)} imports {module}, which is not there"
                found.add(name)
    return frozenset(found)


def wing_of(name):
    return name.split("/")[0]


def reached(wing):
    """Return all that a wing imports, and what that imports, and so on."""
    seen, waiting = set(), [name_of(path) for path in files(wing)]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports_of(PACKAGE / name)
    return seen


def test_there_is_nothing_but_wings():
    found = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert found <= set(FLOORS) | OUTSIDE
    assert set(FLOORS) <= found
    assert len(found) <= 22


@pytest.mark.parametrize("wing", FLOORS)
def test_imports_go_to_lower_floors(wing):
    for path in files(wing):
        for imported in imports_of(path):
            other = wing_of(imported)
            assert other not in OUTSIDE, f"{name_of(path)} imports {imported}"
            lower = other == wing or FLOORS[other] < FLOORS[wing]
            assert lower, f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("wing", FLOORS)
def test_no_wing_has_a_circle(wing):
    inside = {
        name_of(path): {name for name in imports_of(path) if wing_of(name) == wing}
        for path in files(wing)
    }
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        pytest.fail(f"circle: {' -> '.join(error.args[1])}")


SHARED_KERNELS = (
    "bessel",
    "compile",
    "branch_window",
    "frame_rows",
    "frame_turns",
    "liouvillian",
    "moving_frame",
    "reading",
    "uniformization",
)


def test_kernels_stand_alone():
    shared = {f"kernels/{name}.py" for name in SHARED_KERNELS}
    for path in files("kernels"):
        assert imports_of(path) <= shared, name_of(path)


def test_exact_and_trajectories_never_meet():
    exact, trajectories = reached("exact"), reached("trajectories")
    assert "trajectories" not in {wing_of(name) for name in exact}
    assert "exact" not in {wing_of(name) for name in trajectories}
    shared = {name for name in exact & trajectories if wing_of(name) == "kernels"}
    assert shared <= {"kernels/compile.py", "kernels/__init__.py"}


def kinds_asked_for(tree):
    """Yield lines in which `isinstance` or `type(...) is` asks for the kind of a model."""
    for node in ast.walk(tree):
        asks = isinstance(node, ast.Call) and getattr(node.func, "id", None) == "isinstance"
        if isinstance(node, ast.Compare):
            calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
            asks = any(getattr(call.func, "id", None) == "type" for call in calls)
        if asks:
            words = {
                getattr(one, "id", getattr(one, "attr", None))
                for one in ast.walk(node)
                if isinstance(one, ast.Name | ast.Attribute)
            }
            if words & KINDS:
                yield node.lineno


def test_the_kind_of_a_model_is_asked_for_in_few_places():
    found = {
        f"{name_of(path)}:{line}"
        for path in files()
        if name_of(path) not in KNOW_KINDS
        for line in kinds_asked_for(tree_of(path))
    }
    assert not found


def test_kinds_are_found_however_they_are_asked_for():
    for text in (
        "isinstance(model, LadderModel)",
        "isinstance(model, (int, models.Protocol))",
        "isinstance(model, LadderModel | BandedModel)",
        "type(model) is BandedModel",
    ):
        assert [*kinds_asked_for(ast.parse(text))] == [1], text
    for text in ("isinstance(model, Battery)", "Protocol(steps)", "type(model) is int"):
        assert not [*kinds_asked_for(ast.parse(text))], text


def test_files_are_short():
    long = {
        name_of(path): n
        for path in files()
        if (n := len(path.read_text().splitlines())) > 420 and wing_of(name_of(path)) != "kernels"
    }
    assert not long


def test_functions_take_few_arguments_by_place():
    many = {}
    for path in files():
        name = name_of(path)
        if wing_of(name) == "kernels" or name.startswith("commandline/commands/"):
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                by_place = [one.arg for one in node.args.posonlyargs + node.args.args]
                if by_place[:1] in (["self"], ["cls"]):
                    by_place = by_place[1:]
                if len(by_place) > 8:
                    many[f"{name}:{node.lineno}"] = len(by_place)
    assert not many


def test_wings_begin_with_a_sentence():
    for path in files():
        name = name_of(path)
        if path.name == "__init__.py" and wing_of(name) not in PUBLIC | OUTSIDE:
            body = tree_of(path).body
            assert ast.get_docstring(tree_of(path)), name
            assert len(body) == 1, f"{name} holds more than its docstring"


def test_development_names_every_wing():
    text = (ROOT / "docs" / "development.md").read_text()
    rows = re.findall(r"^\| `(\w+)/`", text, flags=re.MULTILINE)
    assert rows == list(FLOORS)
