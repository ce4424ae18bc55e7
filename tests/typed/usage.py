"""What checkers of types see of a user's code: nobody runs this, mypy reads it.

A comment "type: ignore" stands where a mistake is to be found: mypy complains of those that are of
no use.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import trajbatt as tb
from trajbatt.counting.spectra import Spectrum
from trajbatt.models.channelled import ChannelledModel
from trajbatt.states.block_steady_state import BlockSteadyState
from trajbatt.states.driven_steady_state import DrivenSteadyState
from trajbatt.states.frame_steady_state import FrameSteadyState

Floats = NDArray[np.float64]


def models() -> None:
    battery = tb.Battery(n_atoms=100, theta=1.87, omega_p=1000.0, gamma_plus=10.0)
    assert_type(battery.x, float)
    assert_type(battery.dressed_rates, tuple[float, float, float])
    assert_type(tb.Battery.from_drive(10, 1.0, 0.5, gamma_plus=2.0), tb.Battery)
    assert_type(battery.charge(), ChannelledModel)
    assert_type(battery.charge(secular=False), tb.BandedModel)
    assert_type(tb.steady_state(battery.charge()), tb.SteadyState | BlockSteadyState)
    assert_type(
        tb.steady_state(battery.charge(secular=False)), DrivenSteadyState | FrameSteadyState
    )
    cycle = tb.Protocol([(battery.charge(), 0.1), (battery.store(), 0.05)])
    assert_type(cycle.duration, float)
    assert_type(cycle.channel_names, tuple[str, ...])
    heat = tb.LadderModel("heat", 10, 0.0, 0.0, [tb.Channel("emit", -1, 1.0)])
    assert_type(heat.with_parameters(rate_emit=2.0), tb.LadderModel)
    assert_type(tb.asymptotics.tau_90(1.0), float)
    assert_type(tb.asymptotics.energy(battery, [0.0, 0.1]), Floats)
    tb.Battery("many", 1.0, 1.0)  # type: ignore[arg-type]
    tb.steady_state(battery)  # type: ignore[call-overload]
    battery.discharge(rate=1.0)  # type: ignore[call-arg]


def runs() -> None:
    battery = tb.Battery(10, 1.87, 1000.0)
    model, times = battery.charge(), np.linspace(0, battery.charging_time, 101)
    found = tb.mcsolve(model, times, ntraj=100, seed=1, keep_clicks=True, store=Path("runs"))
    exact = tb.mesolve(model, times, e_ops=tb.observables.second_moments)
    tb.mcsolve(model, [0.1], initial=tb.ground_state(10), executor=ProcessPoolExecutor())
    tb.mcsolve(model, [0.1], initial=tb.steady_state(model), progress=lambda done, all_: None)
    tb.mcsolve(model, [0.1], e_ops={"n": tb.observables.jz + 5.0, "p": tb.observables.parity**2})
    assert_type(found.energy, Floats)
    assert_type(found.dipole, NDArray[np.complex128])
    assert_type(found.final_counts, NDArray[np.int64])
    assert_type(found.expect, dict[str, Floats])
    assert_type(found + found, tb.EnsembleResult)
    assert_type(found.replay(17), tb.Trajectory)
    assert_type(len(found.replay(17).clicks), int)
    assert_type(found.draw_clicks().where(slice(3)), tb.Clicks)
    assert_type(tb.compare(found, exact).p_value, float)
    assert_type(tb.load("runs").ntraj, int)
    assert_type(exact.ergotropy, Floats)
    print(exact.coherent_fraction[-1], found.samples["energy"].max(), found.clicks.time)
    tb.mcsolve(battery, times)  # type: ignore[arg-type]
    tb.mcsolve(model, times, method="euler")  # type: ignore[arg-type]
    tb.compare(exact, found)  # type: ignore[arg-type]
    print(found.energie)  # type: ignore[attr-defined]


def light() -> None:
    battery = tb.Battery(10, 1.87, 1000.0)
    model, times = battery.charge(), [0.1, 0.2]
    clicks = tb.mcsolve(model, times, keep_clicks=True).clicks
    fano, sem = tb.photons.fano(clicks, times, "blue")
    assert_type(fano, Floats)
    assert_type(sem, Floats)
    assert_type(tb.counting.fano(model, times, "blue"), Floats)
    assert_type(tb.counting.g2(model, times, ("red", "blue"), at=(0.0, 0.1)), Floats)
    assert_type(tb.counting.spectrum(model, times, "blue"), Spectrum)
    lab: dict[str, Any] = {"efficiency": 0.3, "dark_rate": {"red": 1.0, "center": 0.0, "blue": 0}}
    seen = tb.Detectors(**lab).see(clicks, seed=1)
    assert_type(seen, tb.Clicks)
    assert_type(seen.ntraj, int)
    assert_type(tb.filter(model, seen.of_trajectory(7), times, **lab).ergotropy, Floats)
    assert_type(tb.fit(battery, seen, ("theta",), **lab).values, dict[str, float])
    assert_type(tb.exchange.read_csv("clicks.csv", channels={1: "red"}), tb.Clicks)
    tb.exchange.write_csv(seen, Path("clicks.csv"), about=tb.exchange.about_model(model))
    tb.counting.g2(model, times, "red")  # type: ignore[arg-type]
    tb.counting.spectrum(battery.charge(secular=False), times, "all")


def pictures() -> None:
    model = tb.Battery(10, 1.87, 1000.0).charge()
    exact, found = tb.mesolve(model, [0.1]), tb.mcsolve(model, [0.1])
    tb.plots.energy(exact, found, found.replay(0))[0].set_visible(False)
    tb.plots.animate(found.replay(0, keep_states=True), exact, path="film.gif").pause()
    exact.plot().savefig("exact.png")
    tb.plots.energy(model)  # type: ignore[arg-type]
