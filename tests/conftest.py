import pytest


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """Go to an empty folder, where commands leave their results."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
