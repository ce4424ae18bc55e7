"""
What single-atom decay spoils
=============================

Every atom may also decay by itself. The power of the charging hardly notices; the work that one
pulse can extract does, unless there are many atoms.
"""

# %%
# As many times as the collective rates atoms decay alone; each battery is charged to its T90.

import matplotlib.pyplot as plt
import numpy as np

import trajbatt as tb

strengths = np.array([0.0, 0.3, 1.0, 3.0, 10.0])
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for n, color in ((10, "#88aadd"), (100, "#4477aa"), (1000, "#223366")):
    power, work = [], []
    for ratio in strengths:
        local = {"local_0": ratio, "local_plus": 10.0 * ratio, "local_minus": ratio}
        battery = tb.Battery(n, 1.87, 10.0 * n, gamma_plus=10.0, **local)
        end = battery.charging_time
        # The least of a swing of Omega_P: it does not hang on the phase.
        times = end + np.linspace(-1.0, 0.0, 21) * 2 * np.pi / battery.omega_p
        exact = tb.mesolve(battery.charge(), times, rtol=1e-8)
        power.append(exact.energy.min() / end / n**2)
        work.append(exact.ergotropy_rotation.min() / n)
    left.plot(strengths, power, "o-", color=color, label=f"N = {n}")
    right.plot(strengths, work, "o-", color=color, label=f"N = {n}")
for ax, what in ((left, r"$P/N^2$"), (right, "work of one pulse per atom")):
    ax.set_xlabel(r"single-atom decay, $\gamma_{\rm loc}/\gamma$")
    ax.set_ylabel(what)
    ax.set_ylim(bottom=0.0)
right.legend(frameon=False)
plt.show()
