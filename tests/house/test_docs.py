"""Documentation: every public function says what it takes and gives, and has its page."""

import inspect
import re
from pathlib import Path

import pytest

import trajbatt as tb

DOCS = Path(__file__).parents[2] / "docs"
MODULES = {"": tb, "counting": tb.counting, "photons": tb.photons, "exchange": tb.exchange}
MODULES |= {"plots": tb.plots, "asymptotics": tb.asymptotics, "observables": tb.observables}
SUBMODULES = set(MODULES) - {""}
NO_DOCUMENT = {"__version__"}


def public(module):
    names = getattr(module, "__all__", None)
    if module is tb:
        return sorted({*names, "filter"} - SUBMODULES - NO_DOCUMENT)
    if names is not None:
        return names
    own = (name for name, one in vars(module).items() if _is_own(module, one))
    return sorted(name for name in own if not name.startswith("_"))


def _is_own(module, one):
    return inspect.isfunction(one) and one.__module__ == module.__name__


FUNCTIONS = [
    (prefix, name)
    for prefix, module in MODULES.items()
    for name in public(module)
    if inspect.isfunction(getattr(module, name))
]


def lacking(function):
    """Return what a docstring does not say: a section, or the type of a parameter."""
    text = inspect.getdoc(function) or ""
    names = list(inspect.signature(function).parameters)
    lacks = [] if "Returns\n-------" in text else ["Returns"]
    if not names:
        return lacks
    section = text.partition("Parameters\n----------\n")[2]
    return lacks + [
        name
        for name in names
        if not re.search(rf"^(\*?\w+, )*\*{{0,2}}{name}(, \*?\w+)* : \S", section, re.MULTILINE)
    ]


@pytest.mark.parametrize(("prefix", "name"), FUNCTIONS)
def test_functions_say_what_they_take_and_give(prefix, name):
    assert not lacking(getattr(MODULES[prefix], name))


def test_what_is_lacking_is_found():
    def bad(a, b):
        """Return something.

        Parameters
        ----------
        a : int
        """

    assert lacking(bad) == ["Returns", "b"]


def test_every_public_name_has_its_page():
    pages = "".join(path.read_text() for path in (DOCS / "api").glob("*.md"))
    listed = {line.rpartition(".")[2] for line in re.findall(r"auto\w+:: (\S+)", pages)}
    named = {name for module in MODULES.values() for name in public(module)}
    assert named <= listed | {"second_moments"}


def test_promises_name_tests_that_are_there():
    text = (DOCS / "promises.md").read_text()
    root = DOCS.parent
    for found in re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`", text):
        path, name = root / found[0], found[1]
        assert path.exists(), found
        assert not name or f"def {name}(" in path.read_text(), found


def test_the_version_is_one():
    for file in ("CITATION.cff", "CHANGELOG.md"):
        assert tb.__version__ in (DOCS.parent / file).read_text(), file


def test_citations_are_of_the_methods():
    model = tb.Battery(2, 1.2, 10.0).charge()
    assert "trajbatt" in tb.citation()
    assert "2412.10586" in tb.citation()
    runs = tb.mcsolve(model, [0.1], 2, seed=1)
    assert "Monte Carlo wave-function" in tb.citation(runs)
    assert "Daemonic" in tb.citation(tb.daemonic_ergotropy(runs))
    assert "Monte Carlo" not in tb.citation(tb.mesolve(model, [0.1]))
    assert tb.citation(runs).count("@software") == 1
