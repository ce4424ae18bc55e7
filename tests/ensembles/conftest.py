import pytest
from oracle.runs import everything, solve


@pytest.fixture(scope="session")
def at_once():
    """All that the run of `oracle.runs.solve` holds."""
    return everything(solve(threads=1))
