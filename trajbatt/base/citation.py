"""What to cite: the package, the paper whose battery it is, and the methods that a result used."""

from trajbatt.base.version import __version__

PACKAGE = f"""@software{{trajbatt,
  title = {{trajbatt: stochastic and exact simulator of a dissipatively charged quantum battery}},
  author = {{{{The trajbatt developers}}}},
  version = {{{__version__}}},
  year = {{2026}}
}}"""
PAPER = """@misc{Pokhrel2024,
  title = {Large collective power enhancement in dissipative charging of a quantum battery},
  author = {Pokhrel, S. and Gea-Banacloche, J.},
  year = {2024},
  eprint = {2412.10586},
  archivePrefix = {arXiv}
}"""
UNRAVELLING = """@article{Molmer1993,
  title = {Monte Carlo wave-function method in quantum optics},
  author = {M{\\o}lmer, Klaus and Castin, Yvan and Dalibard, Jean},
  journal = {J. Opt. Soc. Am. B},
  volume = {10},
  pages = {524},
  year = {1993}
}"""
RUNGE_KUTTA = """@book{Hairer1993,
  title = {Solving Ordinary Differential Equations I: Nonstiff Problems},
  author = {Hairer, E. and N{\\o}rsett, S. P. and Wanner, G.},
  publisher = {Springer},
  year = {1993}
}"""
DAEMONIC = """@article{Francica2017,
  title = {Daemonic ergotropy: enhanced work extraction from quantum correlations},
  author = {Francica, G. and Goold, J. and Plastina, F. and Paternostro, M.},
  journal = {npj Quantum Inf.},
  volume = {3},
  pages = {12},
  year = {2017}
}"""


def citation(result: object = None) -> str:
    """Return BibTeX entries for a publication that used the package.

    Parameters
    ----------
    result : optional
        A result, such as that of `mcsolve`: with the works whose methods it used.

    Returns
    -------
    str
        BibTeX entries: the package, the paper whose battery it simulates, and these.
    """
    entries = [PACKAGE, PAPER, *getattr(result, "cites", ())]
    return "\n\n".join(dict.fromkeys(entries))
