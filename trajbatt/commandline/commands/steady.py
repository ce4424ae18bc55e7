"""`trajbatt steady`."""

import math
from typing import Annotated

import typer

from trajbatt.commandline import options
from trajbatt.commandline.outputs import Outputs

MOST_LINES, MOST_FULL = 100_000, 100  # atoms up to which photon statistics take a second
HELP = "Print the exact steady state, and the rates and times of charging."


def steady(
    context: typer.Context,
    n_atoms: options.NAtoms = 100,
    theta: options.Theta = 1.87,
    ratio: options.RatioOrOne = None,
    gamma_0: options.Gamma0 = 1.0,
    omega_p: options.OmegaP = None,
    local: options.Local = 0.0,
    dephasing: options.Dephasing = 0.0,
    dephasing_omega: options.DephasingOmega = None,
    pump: options.Pump = 0.0,
    thermal: options.Thermal = 0.0,
    full: Annotated[
        bool, typer.Option("--full", help="the full Eq. (5), of one rate, instead of Eq. (7)")
    ] = False,
    json_file: options.Json = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
):
    """Print the exact steady state of Eq. (7) or Eq. (5), and the rates and times of charging."""
    from trajbatt.analysis.best_time import best_charging_time
    from trajbatt.commandline.console import facts_table
    from trajbatt.counting.rates import rates
    from trajbatt.models import asymptotics
    from trajbatt.reports import json_report
    from trajbatt.states.steady_state import steady_state

    battery = options.make_battery(
        n_atoms,
        theta,
        options.ratio_or_one(ratio, full),
        gamma_0,
        omega_p,
        **options.noise_of(context),
    )
    model = battery.charge(secular=not full)
    state = steady_state(model)
    provenance = json_report.provenance("steady", battery)
    outputs = Outputs.check(context, provenance, None, json_file, force, quiet, has_picture=False)
    fluctuation = math.sqrt(state.energy_variance) / state.energy if state.energy > 0 else math.nan
    facts = {
        "energy": ("energy E", state.energy),
        "energy_per_atom": ("  per atom, E/N", state.energy / n_atoms),
        "relative_fluctuation": ("  fluctuation, ΔE/E", fluctuation),
        "ergotropy": ("ergotropy R", state.ergotropy),
        "ergotropy_per_atom": ("  per atom, R/N", state.ergotropy / n_atoms),
        "ergotropy_per_atom_limit": (
            "  per atom for N → ∞",
            asymptotics.final_charge(battery) / n_atoms,
        ),
        "x": ("x = r cot⁴(θ/2)", battery.x),
        "gamma_net": ("net rate Γ", battery.gamma_net),
        "tau_90": ("τ₉₀", asymptotics.battery_tau_90(battery)),
        "charging_time": ("charging time T₉₀", battery.charging_time),
        "secular_ratio": ("Ω_P/(N max(A, B, C))", battery.secular_ratio),
    }
    if n_atoms <= (MOST_FULL if full else MOST_LINES):
        found = rates(model, "net", 2)
        facts |= {
            "photon_rate": ("photons per unit of time", found.mean),
            "photon_fano": ("  Fano factor in the long run", found.fano),
            "kinetic_ratio": ("  kinetic uncertainty ratio", found.kinetic_ratio),
        }
        if math.isfinite(found.thermodynamic_ratio):
            words = "  thermodynamic uncertainty ratio"
            facts["thermodynamic_ratio"] = (words, found.thermodynamic_ratio)
    if full:
        for of_secular in ("ergotropy_per_atom_limit", "tau_90", "charging_time"):
            del facts[of_secular]
        facts |= {
            "photon_rate": ("photons per unit of time", model.rate * state.emission),
            "g2": ("  two at once, g²(0)", state.g2_zero),
            "energy_by_lines": ("energy by Eq. (7)", steady_state(battery.charge()).energy),
        }
    if not model.is_symmetric:
        del facts["ergotropy_per_atom_limit"]  # of collective decay alone
        best = best_charging_time(battery)
        facts |= {
            "best_charging_time": ("best charging time", best.time),
            "best_ergotropy_rotation_per_atom": (
                "  work of one pulse then, per atom, at least",
                best.ergotropy_rotation / n_atoms,
            ),
            "best_energy_per_atom": ("  energy then, per atom, at least", best.energy / n_atoms),
        }
        if not quiet:
            options.say(
                "warning: with noise of single atoms the steady state, t → ∞, is another one than "
                "what charging comes to; see the best charging time"
            )
    options.warn_of_battery(battery, quiet)
    outputs.show(facts_table(facts.values()))
    numbers = {name: number for name, (_, number) in facts.items()}
    numbers |= {
        "energy_variance": state.energy_variance,
        "dipole": state.dipole,
    }
    if json_file is not None:  # of 10^6 atoms they take seconds
        numbers["populations"] = state.populations
    outputs.write_json(numbers)
