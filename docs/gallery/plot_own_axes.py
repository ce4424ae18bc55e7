"""
Panels on axes of your own
==========================

Functions of ``trajbatt.plots`` take results and ``ax=``, and return their artists. So a picture can
be put together from an ensemble, its exact twin and one of its runs.
"""

# %%
# All results are of the same model and the same times. The times are finer than the period of
# Omega_P, so the swing of the energy is drawn as it is.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

battery = tb.Battery(n_atoms=30, theta=1.87, omega_p=100.0, gamma_plus=10.0)
model = battery.charge()
times = np.linspace(0.0, battery.charging_time, 201)
runs = tb.mcsolve(model, times, ntraj=500, seed=6)
exact = tb.mesolve(model, times, keep_states=True)
one = runs.replay(4)

# %%
# Four panels. Of the counts, marks are trajectories and lines are exact.

figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
(average, single), (counts, levels) = axes
tb.plots.energy(runs, exact, ax=average)
tb.plots.energy(exact, one, ax=single)
tb.plots.counts(runs, exact, ax=counts)
tb.plots.energy_distribution(runs, exact, ax=levels)
levels.set_title("at the end", fontsize=10)
for ax in (average, single):
    ax.set_ylim(0.0, 1.3)
    ax.legend(frameon=False, fontsize=9, loc="upper right")
handles, names = counts.get_legend_handles_labels()
counts.legend(handles, names, frameon=False, fontsize=9, loc="upper left")
levels.legend(frameon=False, fontsize=9, loc="upper left")
plt.show()
