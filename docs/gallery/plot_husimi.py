"""
One conditional state on the sphere
===================================

The state of one battery, given its clicks, is a pure state of a spin N/2. Its Husimi function shows
it on the Bloch sphere: up is full, down is empty. The battery begins as a spot at the south pole.
Each photon tells on which dressed level it is, so the spot becomes a ring about the dressed axis.
"""

# %%
# One run is replayed with its states at three times. Near x = 1 it wanders over all levels.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb
from trajbatt.plots.animation import husimi

battery = tb.Battery(n_atoms=30, theta=2.1, omega_p=300.0, gamma_plus=10.0)
times = np.array([0.002, 0.1, 1.0])  # in 1/gamma_-
runs = tb.mcsolve(battery.charge(), times, ntraj=1, seed=3)
one = runs.replay(0, keep_states=True)
latitude, longitude, q = husimi(one.states)

# %%
# Mollweide axes take longitude and latitude in radians. The crosses are the ends of the dressed
# axis.

figure, axes = plt.subplots(
    1, 3, figsize=(12, 2.9), subplot_kw={"projection": "mollweide"}, layout="constrained"
)
for ax, values, t, energy in zip(axes, q, times, one.energy, strict=True):
    mesh = ax.pcolormesh(longitude, latitude, values, cmap="magma_r", shading="gouraud", vmin=0)
    tilt = np.pi / 2 - battery.theta
    ax.plot([np.pi, 0], [tilt, -tilt], "x", color="C0", clip_on=False)
    ax.set_title(rf"$t = {t:.3f}/\gamma_-$, $E = {energy:.1f}\,\hbar\omega_0$", fontsize=10)
    ax.set(xticklabels=[], yticklabels=[])
    ax.grid(True, alpha=0.4)
    figure.colorbar(mesh, ax=ax, shrink=0.8, orientation="horizontal", label="Husimi function Q")
plt.show()
