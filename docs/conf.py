"""How the documentation is built: ``sphinx-build -W docs docs/_build``; nothing is fetched."""

from mlsysim.distribution import VERSION

project = "mlsysim"
author = "the founders of mlsysim"
release = VERSION

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
source_suffix = {".md": "myst-nb"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3

# The notebooks of the gallery are executed where they are; an error ends the build.
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

autosummary_generate = False
autodoc_typehints = "none"  # the docstrings say it in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "mlsysim"
html_static_path = ["_static"]
html_css_files = ["notebooks.css"]
# Where links lead out of the documentation: files of the repository.
suppress_warnings = ["myst.xref_missing"]
