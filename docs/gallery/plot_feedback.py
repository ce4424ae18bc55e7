"""
Feedback: charging until twenty blue photons have come
======================================================

Each battery ends its charging at its own time, and keeps what it has then. Above three of them and
the mean, which has an exact twin; below when they stopped.
"""

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

battery = tb.Battery(n_atoms=40, theta=1.87, omega_p=20.0, gamma_plus=10.0)
rule = tb.until(clicks=("blue", 20), at_most=0.08)
protocol = tb.Protocol([(battery.charge(), rule), (battery.store(), 0.05)])
times = np.linspace(0, 0.1, 401)
runs = tb.mcsolve(protocol, times, 1000, seed=3)
exact = tb.mesolve(protocol, times[::4])

figure, (upper, lower) = plt.subplots(2, 1, sharex=True, figsize=(6.4, 5.6), layout="constrained")
for i in range(3):
    upper.plot(
        times, runs.replay(i).energy, lw=0.9, color="tab:gray", label="one" if i == 0 else None
    )
upper.plot(times, runs.energy, color="tab:purple", lw=4, alpha=0.4, label="mean of 1000")
upper.plot(exact.times, exact.energy, color="black", lw=1, label="exact")
upper.set_ylabel(r"energy ($\hbar\omega_0$)")
upper.legend(frameon=False)
lower.hist(tb.stage_ends(runs)[:, 0], bins=60, range=(0, 0.1), color="tab:purple", alpha=0.6)
lower.set_xlabel(r"time $t$ ($1/\gamma_-$)")
lower.set_ylabel("stopped")
plt.show()
