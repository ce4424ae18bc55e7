"""trajbatt: a stochastic simulator of a dissipatively charged quantum battery.

N two-level atoms, driven by a classical pump and decaying into a common reservoir, charge by
emitting photons (Pokhrel and Gea-Banacloche, 2024). Start with `Battery`, then `mcsolve` for
trajectories, `mesolve` for their exact twin, and `compare` for the verdict.
"""

import lazy_loader

# Names are imported when they are first asked for; `__init__.pyi` says from where.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [name for name in __all__ if name != "filter"]  # `import *` replaces no builtin
