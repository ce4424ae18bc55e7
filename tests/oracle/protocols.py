"""Protocols that are charged, stored and discharged, some by both equations."""

import numpy as np

import trajbatt as tb

BATTERY = tb.Battery(8, 1.2, 30.0)
STRONG = tb.Battery(8, 1.87, 40.0, gamma_0=1.2, gamma_plus=10.0)


def cycle_of(battery, durations, gamma=None):
    models = battery.charge(), battery.store(), battery.discharge(gamma)
    return tb.Protocol(list(zip(models, durations, strict=True)))


CYCLE = cycle_of(STRONG, (0.1, 0.2, 0.3))
DRIVEN_CYCLE = tb.Protocol([(BATTERY.charge(secular=False), 0.3), (BATTERY.discharge(2.0), 0.4)])


# Charged and discharged twice, by both equations, with storage in between.
LONG = tb.Protocol(
    [
        (BATTERY.charge(), 0.1),
        (BATTERY.discharge(), 0.05),
        (BATTERY.charge(secular=False), 0.1),
        (BATTERY.store(), 0.1),
        (BATTERY.discharge(3.0), 0.1),
    ]
)


def of_oracle(case, r=None):
    battery = tb.Battery(case["N"], case["theta"], case["Omega_P"], case["gamma0"], r or case["r"])
    durations = case["T1"], case["T2"], case["T3"][-1]
    protocol = cycle_of(battery, durations, case["gamma_discharge"])
    charged, stored = (stage.end for stage in protocol.stages()[:2])
    return protocol, np.array([charged, stored, *(stored + np.array(case["T3"]))])


def expected(case):
    return [case["after_charge"], case["after_store"], *case["discharge"]]


def covariance_of(obs, names):
    return np.array(
        [[obs["cov"].get(f"{a},{b}", obs["cov"].get(f"{b},{a}")) for a in names] for b in names]
    )
