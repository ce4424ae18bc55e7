"""How the documentation site is built: `sphinx-build -W docs site`."""

import os
import re
from importlib.metadata import version as version_of

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

project = "trajbatt"
author = "the trajbatt developers"
copyright = "2026, the trajbatt developers"
release = version_of("trajbatt")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",  # formulas without a network, for the reader too
]
exclude_patterns = ["gallery/*.rst", "made/gallery/*.ipynb", "**/sg_execution_times*"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}

html_theme = "furo"
html_title = f"trajbatt {release}"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0072b2",
        "color-brand-content": "#0072b2",
    },
}

myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
nb_execution_mode = "force"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_merge_streams = True

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more: shapes and units
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "made/gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 60,
    "plot_gallery": True,
    "remove_config_comments": True,
}
suppress_warnings = [
    "config.cache",
    "ref.python",  # several results have an `energy`
]


def setup(app):
    """Make the picture of the first page, by the code of this version."""
    app.connect("builder-inited", _make_first_picture)
    app.connect("autodoc-process-docstring", _escape_subscripts)


def _escape_subscripts(app, what, name, obj, options, lines):
    """Let J_- and gamma_+ stand: an underscore at the end of a word would make a link of it."""
    lines[:] = [re.sub(r"(?<=\w)_(?=[^\w`]|$)", r"\\_", line) for line in lines]


def _make_first_picture(app):
    import numpy as np

    import trajbatt as tb

    battery = tb.Battery(100, 1.87, 1000.0, gamma_plus=10.0)
    times = np.linspace(0.0, battery.charging_time, 401)
    runs = tb.mcsolve(battery.charge(), times, ntraj=1000, seed=20241217)
    made = app.srcdir / "made"
    made.mkdir(exist_ok=True)
    runs.plot().savefig(made / "first.png", dpi=110)
