"""The channels of a battery, with the noise of single atoms and heat.

In the dressed basis, with s_z = cos(theta) s'_z + sin(theta) s'_x of every atom, the secular parts
of the bare jump operators are one-level steps, weighted by sin^4(theta/2), cos^4(theta/2) and
sin^2(theta): an emitted photon of the red line steps up, of the blue line down. Thermal light adds
the same line absorbed, at n times the rate, and emitted, at 1 + n times. Noise of the transition
frequency, (gamma_phi/2) D[sigma_z] = 2 gamma_phi D[s_z], leaves s'_z at the rate
2 gamma_phi(0) cos^2(theta), and flips at gamma_phi(Omega_P) sin^2(theta)/2.
"""

import math

from trajbatt.models.channel import ABSORBED, Channel

LINES = (("red", +1), ("center", 0), ("blue", -1))


def charging_channels(battery):
    """Return the channels of charging by Eq. (7), a tuple of `Channel`; those only that exist."""
    collective = battery.gamma_minus, battery.gamma_0, battery.gamma_plus
    local = battery.local_minus, battery.local_0, battery.local_plus
    thermal = battery.thermal_minus, battery.thermal_0, battery.thermal_plus
    channels = [*_light(battery, collective, thermal)]
    if any(local):
        channels += _light(battery, local, thermal, "side_")
    return (*channels, *_dephasing(battery), *_pumping(battery))


def bare_channels(gamma, local, dephasing, thermal, emits=False):
    """Return the channels with the pump off, a tuple of `Channel`; those only that exist.

    Parameters
    ----------
    gamma, local, dephasing, thermal : float
        As in `Battery.discharge`.
    emits : bool
        Whether the collective channel is there, even if its rate is zero.
    """
    channels = []
    for name, rate, is_there in (("all", gamma, emits), ("side_all", local, local > 0.0)):
        is_local = name != "all"
        if is_there:
            channels.append(Channel(name, -1, rate * (1.0 + thermal), local=is_local))
        if is_there and thermal and rate:
            channels.append(
                Channel(name + ABSORBED, +1, rate * thermal, local=is_local, photons=-1)
            )
    if dephasing:
        channels.append(Channel("dephasing", 0, 2.0 * dephasing, local=True, photons=0))
    return tuple(channels)


def _light(battery, bare_rates, thermal, prefix=""):
    """Return the lines that are emitted, then those that are absorbed."""
    blue, red, center = battery.emission(*[bare_rates[i] for i in (1, 2, 0)])
    is_local, is_quiet = bool(prefix), not battery.is_noisy
    emitted, absorbed = [], []
    for (name, shift), rate, bare, n in zip(
        LINES, (red, center, blue), bare_rates, thermal, strict=True
    ):
        if bare or is_quiet:  # without noise all three, whatever their rates
            emitted.append(Channel(prefix + name, shift, rate * (1.0 + n), local=is_local))
        if bare and n:
            other = Channel(prefix + name + ABSORBED, -shift, rate * n, local=is_local, photons=-1)
            absorbed.append(other)
    return [*emitted, *absorbed]


def _dephasing(battery):
    slow = battery.dephasing
    fast = slow if battery.dephasing_omega is None else battery.dephasing_omega
    if not slow:
        return
    yield Channel("dephasing", 0, 2.0 * slow * math.cos(battery.theta) ** 2, local=True, photons=0)
    if fast:
        flips = 0.5 * fast * math.sin(battery.theta) ** 2
        yield Channel("dephasing_up", +1, flips, local=True, photons=0)
        yield Channel("dephasing_down", -1, flips, local=True, photons=0)


def _pumping(battery):
    """Yield the channels of sigma_+, the emission of light with both ends exchanged."""
    if battery.pump:
        down, up, flat = battery.emission(*[battery.pump] * 3)
        yield Channel("pump_up", +1, down, local=True, photons=0)
        yield Channel("pump_flat", 0, flat, local=True, photons=0)
        yield Channel("pump_down", -1, up, local=True, photons=0)
