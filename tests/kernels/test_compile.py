"""A cache on disk that is damaged or cannot be written makes kernels slow, not useless."""

import os
import subprocess
import sys

import pytest

COMPILED = {"NUMBA_DISABLE_JIT": "0"}  # else there is no cache
SCRIPT = """
import warnings
from pathlib import Path
import sys

place = Path(sys.argv[1])
(place / "one.py").write_text('''
from trajbatt.kernels.compile import kernel

@kernel
def double(x):
    return 2.0 * x

@kernel
def triple(x):
    return 3.0 * x
''')
sys.path.insert(0, str(place))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import one
    print(one.double(2.0), one.triple(2.0))
print([str(one.message)[:35] for one in caught])
"""


def run(place, cache):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(place)],
        env={**os.environ, **COMPILED, "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_cut_cache_is_said_once_and_mended(tmp_path, suffix):
    cache = tmp_path / "cache"
    first = run(tmp_path, cache)
    assert first[1] == "[]"
    found = list(cache.rglob(f"*.{suffix}"))
    assert len(found) == 2
    for path in found:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = run(tmp_path, cache)
    assert again[0] == first[0]
    assert again[1].count("Numba's cache cannot be used") == 1
    assert run(tmp_path, cache) == first


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_said_once(tmp_path):
    found = run(tmp_path, tmp_path / "cache")
    code = SCRIPT.replace(
        "    import one\n",
        "    import numba.core.caching as caching\n"
        "    def full(*_):\n"
        "        raise OSError(28, 'No space left on device')\n"
        "    caching.IndexDataCacheFile._save_data = full\n"
        "    caching.IndexDataCacheFile._save_index = full\n"
        "    import one\n",
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)],
        env={**os.environ, **COMPILED, "NUMBA_CACHE_DIR": str(tmp_path / "other")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == found[0]
    assert done.stdout.count("Numba's cache cannot be used") == 1
