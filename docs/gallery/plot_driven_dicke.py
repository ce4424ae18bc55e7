"""
The boundary time crystal
=========================

On resonance the steady state of the driven Dicke model changes at the drive gamma N/2. Below it the
mean spin is at rest, tilted by the drive; above it there is no direction in which it could rest,
and on average none is left. How sharp that is depends on N.
"""

# %%
# The closed form is exact at any drive. A frame at the mean spin gives a million atoms, below.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
for n, color in ((10, "#56b4e9"), (50, "#0072b2"), (250, "#000000")):
    drives = np.linspace(0.02, 2.0, 60)
    steady = [tb.steady_state(tb.DrivenDicke(n, drive * n / 2)) for drive in drives]
    left.plot(drives, [one.energy / n for one in steady], color=color, label=f"N = {n}")
    right.plot(drives, [one.g2_zero for one in steady], color=color)
below = np.linspace(0.05, 0.95, 10)
million = [tb.steady_state(tb.DrivenDicke(10**6, drive * 5e5)) for drive in below]
left.plot(
    below, [one.energy / 1e6 for one in million], "o", ms=4, color="#d55e00", label="N = $10^6$"
)
right.plot(below, [one.g2_zero for one in million], "o", ms=4, color="#d55e00")
left.set(xlabel=r"drive $\Omega_R/(\gamma N/2)$", ylabel="excited fraction E/N", ylim=(0, 0.55))
right.set(xlabel=r"drive $\Omega_R/(\gamma N/2)$", ylabel=r"$g^{(2)}(0)$ of the light")
left.legend(frameon=False)
plt.show()
