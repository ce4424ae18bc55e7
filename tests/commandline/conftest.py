import pytest


@pytest.fixture(autouse=True)
def _elsewhere(empty_folder):
    """Every command is run in an empty folder."""
