"""Types: every public function, method and property says them, and gives what it says."""

import inspect
import types
import typing
from dataclasses import fields, is_dataclass
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import trajbatt as tb
from trajbatt.base.types import FloatArray
from trajbatt.counting.spectra import Spectrum
from trajbatt.ensembles.samples import Samples
from trajbatt.exchange.qutip_problems import QutipProblem
from trajbatt.states.driven_steady_state import DrivenSteadyState

MODULES = (
    "trajbatt",
    "trajbatt.counting",
    "trajbatt.photons",
    "trajbatt.exchange",
    "trajbatt.plots",
    "trajbatt.models.asymptotics",
    "trajbatt.states.observables",
)
# What public functions and properties give, though nobody asks for it by its name.
GIVEN = (DrivenSteadyState, QutipProblem, Samples, Spectrum)
NOT_THERE = (AttributeError, ValueError, TypeError, ArithmeticError)  # such as a protocol's rates
OPERATORS = {
    f"__{name}__" for name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "pow", "neg")
} | {"__len__", "__iter__", "__getitem__"}


def names_of(module):
    """Yield what a module offers: `__all__`, or what is defined in it without an underscore."""
    for name in getattr(module, "__all__", vars(module)):
        value = getattr(module, name)
        own = hasattr(module, "__all__") or getattr(value, "__module__", "") == module.__name__
        if not name.startswith("_") and own:
            yield f"{module.__name__}.{name}", value


def public():
    """Return all public functions and classes, a dict by name."""
    found = {}
    for name in MODULES:
        module = import_module(name)
        found |= dict(names_of(module))
        if name == "trajbatt":  # `import *` leaves it out
            found["trajbatt.filter"] = module.filter
    found |= {one.__qualname__: one for one in GIVEN}
    return {name: one for name, one in found.items() if callable(one)}


def function_of(member):
    """Return the function of a member of a class, or None if it is no method or property."""
    if isinstance(member, property):
        return member.fget
    if isinstance(member, cached_property):
        return member.func
    if isinstance(member, classmethod | staticmethod):
        return member.__func__
    return member if inspect.isfunction(member) else None


def functions(name, thing):
    """Yield the name and the function of a function, or of each public member of a class."""
    if not inspect.isclass(thing):
        yield name, inspect.unwrap(thing)
        return
    for base in thing.__mro__:
        if base.__module__.split(".")[0] == thing.__module__.split(".")[0]:
            for member, value in vars(base).items():
                function = function_of(value)
                if function and (member in OPERATORS or not member.startswith("_")):
                    yield f"{name}.{member}", function


def unsaid(function):
    """Return what of a function has no type: its parameters, and "return"."""
    signature = inspect.signature(function)
    names = [
        name
        for i, (name, one) in enumerate(signature.parameters.items())
        if one.annotation is one.empty and not (i == 0 and name in ("self", "cls"))
    ]
    return names + ["return"] * (signature.return_annotation is signature.empty)


def test_everything_public_says_its_types():
    walked = [pair for name, thing in public().items() for pair in functions(name, thing)]
    assert len({function for _, function in walked}) > 250
    missing = {name: unsaid(function) for name, function in walked if unsaid(function)}
    assert not missing


def test_what_says_no_types_is_found():
    class Silent:
        @property
        def half(self):
            return 0.5

        @cached_property
        def third(self):
            return 1 / 3

        @classmethod
        def made(cls, number: int):
            return cls()

        def told(self, number: int) -> int:
            return number

        def __add__(self, other) -> int:
            return 1

    found = {name: unsaid(function) for name, function in functions("S", Silent)}
    assert found == {
        "S.half": ["return"],
        "S.third": ["return"],
        "S.made": ["return"],
        "S.told": [],
        "S.__add__": ["other"],
    }
    assert unsaid(lambda a, *b, c=1, **d: None) == ["a", "b", "c", "d", "return"]


def test_checkers_are_told_that_there_are_types():
    assert (Path(tb.__file__).parent / "py.typed").exists()


def is_as_said(value, hint):
    """Whether a value is of an annotated type; of containers, the outermost counts."""
    if isinstance(hint, str) or hint is typing.Any:
        return True
    if hint is None:
        return value is None
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return any(is_as_said(value, one) for one in typing.get_args(hint))
    origin = typing.get_origin(hint)
    if origin is np.ndarray:
        (scalar,) = typing.get_args(typing.get_args(hint)[1])
        scalar = typing.get_origin(scalar) or scalar
        is_array = isinstance(value, np.ndarray)
        return is_array and (scalar is typing.Any or issubclass(value.dtype.type, scalar))
    if hint in (float, complex):
        return isinstance(value, (float | int, hint))
    return isinstance(value, origin or hint)


def said(thing):
    """Yield each public field and property of an object: name, what it gives, and its type."""
    if is_dataclass(thing):
        for field in fields(thing):
            if not field.name.startswith("_"):
                yield field.name, partial(getattr, thing, field.name), field.type
    for base in type(thing).__mro__:
        if base.__module__.startswith("trajbatt"):
            for name, member in vars(base).items():
                if isinstance(member, property | cached_property) and not name.startswith("_"):
                    hint = function_of(member).__annotations__["return"]
                    yield name, partial(getattr, thing, name), hint


def results():
    """Yield results of all kinds, of a few atoms."""
    battery = tb.Battery(3, 1.2, 50.0)
    yield from (battery, tb.observables.jx, tb.Channel("red", 1, 1.0), tb.Detectors(0.5))
    model, discharge, full = battery.charge(), battery.discharge(), battery.charge(secular=False)
    protocol = tb.Protocol([(model, 0.1), (discharge, 0.2)])
    yield from (model, discharge, full, protocol, battery.store())
    yield from (tb.steady_state(model), tb.steady_state(full))
    times = [0.1, 0.2]
    for one in (model, discharge, protocol, full):
        exact = tb.mesolve(one, times, covariances=True, keep_states=True)
        yield exact
    keep = {"keep_clicks": True, "keep_samples": ("energy",)}
    for one in (model, discharge):
        runs = tb.mcsolve(
            one, times, 16, seed=1, e_ops=tb.observables.second_moments, **keep, threads=1
        )
        yield from (runs, runs.clicks, runs.samples, runs.replay(0, keep_states=True))
        yield tb.filter(one, runs.replay(0).clicks, times, efficiency=0.5)
        yield tb.compare(runs, tb.mesolve(one, times))
        yield tb.first_passage(runs, 0.5)
    yield tb.daemonic_ergotropy(runs)
    yield tb.energy_fisher(discharge, times)
    yield tb.secular_check(battery, times)


@pytest.mark.slow
def test_results_give_what_they_say():
    wrong = {}
    for thing in results():
        for name, value, hint in said(thing):
            try:
                found = value()
            except NOT_THERE:
                continue
            if not is_as_said(found, hint):
                shown = getattr(found, "dtype", type(found))
                wrong[f"{type(thing).__name__}.{name}"] = f"{shown} instead of {hint}"
    assert not wrong


@pytest.mark.parametrize(
    ("value", "hint"),
    [(np.zeros(2, int), FloatArray), (None, float), ([], tuple[int, ...])],
)
def test_what_gives_something_else_is_found(value, hint):
    assert not is_as_said(value, hint)
    assert is_as_said(np.zeros(2), FloatArray | None)
