"""Steps of the banded kernel."""

import numpy as np
import pytest

from trajbatt.kernels import banded


def workspace(levels):
    width = 2 * (levels + 2 * banded.MARGIN)
    rows = np.zeros((2, banded.ORDER + 1, width))
    return banded.Workspace(
        *rows,
        even=np.zeros((2, width)),
        odd=np.zeros((2, width)),
        state=np.zeros(width),
        other=np.zeros(width),
        phases=np.zeros(width),
        survival=np.zeros(banded.ORDER + 1),
    )


@pytest.mark.parametrize(
    ("ket", "window"),
    [
        ([1e-9, 2e-9j, 3.0, 1e-12, 4.0j], (2, 4)),  # negligible levels below
        ([3.0, 4.0j, 3e-9, 1e-9j, 2e-9], (0, 1)),  # above
        ([1e-9, 2e-9, 3.0j, 4.0, 5e-9j], (2, 3)),  # on both sides
        ([1e-9, 0.0, 0.0, 0.0, 5.0], (4, 4)),
    ],
)
def test_a_step_begins_with_a_normalised_state_and_tells_what_it_drops(ket, window):
    ket = np.array(ket, dtype=complex)
    work = workspace(ket.size)
    begin, end = 2 * banded.MARGIN, 2 * (banded.MARGIN + ket.size)
    row = np.zeros_like(work.state)
    row[begin:end] = ket.view(float)
    low, high, dropped = banded.begin_step(work, row, begin, end, 1e-16)
    assert (low, high) == window
    kept = np.zeros(ket.size, dtype=bool)
    kept[low : high + 1] = True
    expected = np.sum(np.abs(ket[~kept]) ** 2) / np.sum(np.abs(ket) ** 2)
    assert dropped == pytest.approx(expected, rel=1e-12, abs=0.0)
    first, turned = (one[0, begin:end].copy().view(complex) for one in (work.series, work.turned))
    state = np.where(kept, ket, 0.0) / np.linalg.norm(ket[kept])
    np.testing.assert_allclose(first[kept], state[kept], rtol=1e-15)
    np.testing.assert_allclose(turned[kept], 1j * state[kept], rtol=1e-15)
