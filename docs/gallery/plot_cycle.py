"""
Charge, store, discharge
========================

A ``Protocol`` puts models one after the other; the state passes from each to the next. It goes
wherever a model does. Here fifty atoms are charged, stored and discharged.
"""

# %%
# The photons of the discharge are in a channel of their own, ``dis``.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

battery = tb.Battery(n_atoms=50, theta=1.87, omega_p=500.0, gamma_plus=10.0)
cycle = tb.Protocol(
    [
        (battery.charge(), battery.charging_time),
        (battery.store(), 0.06),
        (battery.discharge(), 0.15),
    ]
)
times = np.linspace(0.0, cycle.duration, 151)
runs = tb.mcsolve(cycle, times, ntraj=300, seed=7)
exact = tb.mesolve(cycle, times)

# %%
# Dashed lines show where the stages end. During the charge the energy swings with Omega_P, faster
# than these times follow, so its least and its largest values in a swing are drawn. Marks are
# trajectories, lines are exact.

figure, (top, bottom) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
tb.plots.energy(runs, exact, ax=top)
tb.plots.counts(runs, exact, ax=bottom)
for ax in (top, bottom):
    for end in (battery.charging_time, battery.charging_time + 0.06):
        ax.axvline(end, color="0.6", ls="--", lw=1)
top.legend(frameon=False, fontsize=9, loc="upper right")
top.set_xlabel("")
handles, names = bottom.get_legend_handles_labels()
bottom.legend(handles, names, frameon=False, fontsize=9, loc="upper left", ncols=4)
bottom.set_ylim(-2.0, 62.0)
plt.show()
