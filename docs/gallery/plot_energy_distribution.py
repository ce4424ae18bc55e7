"""
The distribution of the energy
==============================

The mean energy hides how the energy is distributed. Here is the probability of each number of
excited atoms at three times of the charge. Trajectories give it with standard errors, the
master equation exactly.
"""

# %%
# Forty atoms after 1, 4 and 11 periods of Omega_P, at the low points of the swing. The trajectories
# are simulated again for the distribution, so nothing need be kept; the exact one needs the density
# matrices.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

battery = tb.Battery(n_atoms=40, theta=1.87, omega_p=400.0, gamma_plus=10.0)
times = np.array([1, 4, 11]) * 2 * np.pi / battery.omega_p
runs = tb.mcsolve(battery.charge(), times, ntraj=500, seed=2)
exact = tb.mesolve(battery.charge(), times, keep_states=True)

# %%
# Bars are two standard errors.

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for index, ax in enumerate(axes):
    tb.plots.energy_distribution(runs, exact, index=index, ax=ax)
    ax.set_title(rf"$t = {times[index]:.4f}/\gamma_-$", fontsize=10)
    if index > 0:
        ax.set_ylabel("")
axes[0].legend(frameon=False, fontsize=9)
plt.show()
