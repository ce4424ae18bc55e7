"""The names of `trajbatt`: they come when they are asked for, and replace nothing."""

import ast
import builtins
import subprocess
import sys
from pathlib import Path

import pytest

import trajbatt as tb

STUB = Path(tb.__file__).with_suffix(".pyi")


def test_every_name_of_the_stub_is_there():
    imports = ast.parse(STUB.read_text()).body
    names = {alias.asname for line in imports for alias in line.names}
    assert set(dir(tb)) == names
    for name in names:
        assert getattr(tb, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        tb.nonsense  # noqa: B018


def test_a_star_replaces_no_builtin():
    assert not set(tb.__all__) & set(dir(builtins))
    assert set(dir(tb)) - set(tb.__all__) == {"filter"}


def test_nothing_heavy_is_imported_with_the_package():
    # So Ctrl-C may come at any time of a command, and --help takes a moment.
    code = "import sys, trajbatt, trajbatt.commandline.main; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"numpy", "numba", "scipy", "matplotlib"} & set(loaded)
