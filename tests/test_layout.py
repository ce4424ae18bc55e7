"""The house: imports go in one direction, and the README says which."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "trajbatt"
OPEN_TO_ALL = {"__init__.py", "__main__.py"} | {
    f"{folder}/__init__.py" for folder in ("kernels", "commands", "counting", "photons", "exchange")
}


def documented_order():
    table = (ROOT / "README.md").read_text().partition("| module |")[2]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([\w/]+\.py)`", cell)]


def imports_of(path):
    """Return the modules of the package that a file imports anywhere, as file names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trajbatt"):
            base = node.module.replace(".", "/").removeprefix("trajbatt").removeprefix("/")
            for alias in node.names:
                name = f"{base}/{alias.name}".removeprefix("/")
                if (PACKAGE / name).is_dir():  # a package stands for all that is in it
                    found |= {
                        f"{name}/{one.name}"
                        for one in (PACKAGE / name).glob("*.py")
                        if one.name != "__init__.py"
                    }
                    continue
                candidates = [f"{name}.py", f"{base}.py"]
                found.add(next(name for name in candidates if (PACKAGE / name).exists()))
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"relative import in {path}"
    return found


def test_every_module_is_documented():
    files = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")} - OPEN_TO_ALL
    order = documented_order()
    assert len(order) == len(set(order))
    assert set(order) == files


def test_imports_go_upwards_in_the_table_only():
    order = documented_order()
    for position, name in enumerate(order):
        for imported in imports_of(PACKAGE / name):
            assert order.index(imported) < position, f"{name} imports {imported}"


def test_kernels_stand_alone():
    for path in (PACKAGE / "kernels").glob("*.py"):
        assert imports_of(path) <= {"kernels/compile.py"}


def test_the_twin_shares_no_kernel_with_the_trajectories():
    seen, waiting = set(), ["mesolve.py"]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports_of(PACKAGE / name)
    shared = {name for name in seen if name.startswith("kernels/") or "engine" in name}
    # `imports_of` sees imports inside functions too.
    assert shared <= {"kernels/liouvillian.py", "kernels/compile.py"}
