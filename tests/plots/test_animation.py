"""Films of one battery, and the Husimi function that they show."""

import numpy as np
import pytest
from PIL import Image

import trajbatt as tb
from trajbatt.plots.animation import husimi

BATTERY = tb.Battery(5, 1.87, 50.0, gamma_plus=10.0)
TIMES = np.linspace(0.0, 0.3, 6)
RUNS = tb.mcsolve(BATTERY.charge(), TIMES, 3, seed=1)


def test_the_husimi_function_is_the_overlap_with_coherent_states():
    rng = np.random.default_rng(1)
    ket = rng.normal(size=6) + 1j * rng.normal(size=6)
    ket /= np.linalg.norm(ket)
    latitude, longitude, (q,) = husimi(ket[None], 21, 33)
    for i in (0, 4, 13, 20):
        for j in (0, 7, 30):
            coherent = tb.coherent_state(5, np.pi / 2 - latitude[i], longitude[j])
            assert q[i, j] == pytest.approx(abs(coherent.conj() @ ket) ** 2, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 400])
def test_it_adds_up(n):
    ket = tb.coherent_state(n, 1.1, 0.4)
    latitude, longitude, (q,) = husimi(ket[None], 181, 181)
    weights = (
        np.cos(latitude)[:, None] * (latitude[1] - latitude[0]) * (longitude[1] - longitude[0])
    )
    assert (n + 1) / (4 * np.pi) * (q[:, :-1] * weights).sum() == pytest.approx(1, abs=2e-3)


def test_a_film_has_its_frames(tmp_path):
    one = RUNS.replay(1, keep_states=True)
    path = tmp_path / "one.gif"
    tb.plots.animate(one, tb.mesolve(BATTERY.charge(), TIMES), path, dpi=40)
    with Image.open(path) as film:
        assert film.n_frames == 6
    film = tb.plots.animate(one, frames=3)
    film._init_draw()
    scene = film._func.__self__
    for frame in range(3):
        scene.draw(frame)
    shown = sum(len(dots.get_xdata()) for dots in scene._dots)
    assert shown == len(one.clicks)


def test_any_run_can_be_filmed(tmp_path):
    cycle = tb.Protocol([(BATTERY.charge(), 0.1), (BATTERY.store(), 0.1)])
    for model, initial in (
        (cycle, None),
        (BATTERY.store(), tb.excited_state(5)),
        (tb.Battery(1, 0.3, 3.0).charge(), None),
    ):
        runs = tb.mcsolve(model, [0.0, 0.2], 1, initial, seed=1)
        tb.plots.animate(runs.replay(0, keep_states=True), path=tmp_path / "x.gif", dpi=30)


def test_bad_arguments(tmp_path):
    one = RUNS.replay(1, keep_states=True)
    with pytest.raises(ValueError, match="the states must be kept"):
        tb.plots.animate(RUNS.replay(1))
    with pytest.raises(TypeError, match="`trajectory` must be one of a run"):
        tb.plots.animate(RUNS)
    with pytest.raises(ValueError, match=r"`path` must end in \.gif or \.mp4"):
        tb.plots.animate(one, path=tmp_path / "a.avi")
    with pytest.raises(ValueError, match="must be in a folder"):
        tb.plots.animate(one, path=tmp_path / "no" / "a.gif")
    with pytest.raises(ValueError, match="`fps` must be"):
        tb.plots.animate(one, fps=0)


def test_with_noise_of_single_atoms_light_alone_is_shown():
    battery = tb.Battery(4, 1.87, 60.0, local_plus=2.0, dephasing=3.0, thermal_plus=1.0)
    runs = tb.mcsolve(battery.charge(), TIMES, 40, seed=3)
    every = (runs.replay(i, keep_states=True) for i in range(40))
    one = next(one for one in every if one.spin[-1] < 4)  # a smaller sphere
    film = tb.plots.animate(one)
    film._init_draw()
    scene = film._func.__self__
    scene.draw(len(TIMES) - 1)
    names = [label.get_text() for label in scene._clicks.get_yticklabels()]
    assert names == ["red", "center", "blue", "side_blue"]
    shown = sum(len(dots.get_xdata()) for dots in scene._dots)
    assert shown == np.isin(one.clicks.channel, np.flatnonzero(one.model.photons > 0)).sum()
    assert shown < len(one.clicks)
    first = (4 - one.spin[-1]) // 2
    _, _, q = husimi(one.states[-1:, first : first + one.spin[-1] + 1])
    np.testing.assert_allclose(scene._q[-1], q[0], atol=1e-12)
