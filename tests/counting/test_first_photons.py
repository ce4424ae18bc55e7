"""Which photons come first, and which one next."""

import numpy as np
import pytest
from oracle import dense
from oracle.windows import gauss

import trajbatt as tb

CLOSE = 1e-9


def test_next_channels_after_a_window():
    cases = {case.name: case for case in dense.cases()}
    for name, after, (start, stop) in [
        ("eq7", "red", (0.1, 0.6)),
        ("discharge", "all", (0.1, 0.6)),
    ]:
        case, twin = cases[name], cases[name].twin
        expected, total = np.zeros(len(case.model.channel_names)), 0.0
        for t, weight in zip(*gauss(start, stop), strict=True):
            rho = twin.clicked(twin.evolve(case.rho, 0.0, t), t, after)
            total += weight * np.trace(rho).real
            for i, channel in enumerate(case.model.channel_names):
                expected[i] += weight * twin.first(rho, t, 1000.0, channel)
        found = tb.counting.next_channel(case.model, after, case.initial, at=(start, stop))
        np.testing.assert_allclose(found, expected / total, atol=CLOSE)


@pytest.mark.parametrize("secular", [True, False])
def test_what_comes_next_in_a_protocol_that_lasts(secular):
    # Many times as long as it takes.
    model = tb.Battery(2, 1.3, 5.0).charge(secular=secular)
    lasting = tb.Protocol([(model, 1.0), (model, 300.0 if secular else 8.0)])
    for after in (None, model.channel_names[-1]):
        found = tb.counting.next_channel(lasting, after, at=0.3)
        left = tb.counting.survival(model, [lasting.duration - 0.3], after, at=0.3)
        assert found.sum() == pytest.approx(1.0 - left[0], abs=1e-9)
        if secular:
            expected = tb.counting.next_channel(model, after, at=0.3)
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_order_of_the_first_photons():
    # On an empty record of one channel after the other, J'_+ then J'_- weigh each level.
    case = dense.cases()[0]
    twin, names = case.twin, case.model.channel_names
    found = tb.counting.first_channels(case.model, 3, case.initial)
    assert found.shape == (3, 3, 3)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    for first, second, third in [(0, 0, 2), (2, 0, 1), (1, 1, 0), (2, 2, 2)]:
        rho = case.rho
        for channel in (first, second):
            rho = waited(twin, rho, names[channel])
        expected = twin.first(rho, 0.0, 1000.0, names[third])
        assert found[first, second, third] == pytest.approx(expected, abs=CLOSE)
    one = tb.counting.first_channels(case.model, 1, case.initial)
    np.testing.assert_allclose(one, tb.counting.next_channel(case.model, None, case.initial))


def waited(twin, rho, channel):
    """Return the state after the first photon, if that is of `channel`, over all its times."""
    (stage,) = twin.stages
    whole = -np.linalg.solve(stage.generator(twin.none()), rho.ravel())
    return twin.clicked(whole.reshape(rho.shape), 0.0, channel)


def test_the_next_photon_by_the_end_of_a_record():
    counting = tb.counting
    battery = tb.Battery(6, 1.87, 60.0, gamma_plus=10.0)
    model, driven = battery.charge(), tb.Battery(3, 1.2, 30.0).charge(secular=False)
    for one, end in ((model, 0.02), (battery.discharge(), 0.1), (driven, 0.2)):
        found = counting.next_channel(one, until=end)
        assert found.sum() == pytest.approx(counting.first_click(one, [end])[0], rel=1e-9)
    # It is that of a protocol that ends there.
    short = tb.Protocol([(model, 0.02)])
    for after, at in ((None, 0.0), ("blue", 0.01), ("total", (0.005, 0.015))):
        np.testing.assert_allclose(
            counting.next_channel(model, after, at=at, until=0.02),
            counting.next_channel(short, after, at=at),
            rtol=1e-12,
        )
    np.testing.assert_allclose(
        counting.next_channel(model, until=50.0), counting.next_channel(model), rtol=1e-9
    )
    # A protocol keeps the channels that it has not come to.
    cycle = tb.Protocol([(model, 0.1), (battery.discharge(), 0.1)])
    found = counting.next_channel(cycle, until=0.02)
    np.testing.assert_allclose(found, [*counting.next_channel(short), 0.0], rtol=1e-12)
    assert counting.next_channel(model, until=0.0).tolist() == [0.0] * 3
    # Trajectories say the same; a negative control forgets the end.
    runs = tb.mcsolve(model, [0.02], 20_000, seed=4, keep_clicks=True)
    estimate = tb.photons.next_channel(runs.clicks)
    exact = counting.next_channel(model, until=0.02)
    assert np.all(np.abs(estimate.value - exact) < 4 * estimate.sem)
    assert np.all(np.abs(estimate.value - counting.next_channel(model)) > 5 * estimate.sem)
