"""The distribution that holds the package: its name on the index, its version, its extras.

The package is imported as ``mlsysim``; that name is taken on the index by another project.
"""

NAME = "mlsysim-solver"
VERSION = "0.1.0"


def missing(what: str, needed: str, extra: str) -> str:
    """Say that something is not installed, and how to install it.

    Parameters
    ----------
    what
        What cannot be done without it, as the beginning of a sentence.
    needed
        What is not installed.
    extra
        The extra that brings it.

    Examples
    --------
    >>> missing("a picture", "matplotlib", "plot")
    "a picture needs matplotlib, which is not installed; run: pip install 'mlsysim-solver[plot]'"
    """
    return f"{what} needs {needed}, which is not installed; run: pip install '{NAME}[{extra}]'"
