"""How the documentation is built: ``sphinx-build -W docs docs/_build``; nothing is fetched."""

from importlib import metadata

project = "mlsysim"
author = "the founders of mlsysim"
release = metadata.version("mlsysim")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3

autosummary_generate = False
autodoc_typehints = "none"  # the docstrings say it in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "mlsysim"
html_static_path: list[str] = []
# Where links lead out of the documentation: files of the repository.
suppress_warnings = ["myst.xref_missing"]
