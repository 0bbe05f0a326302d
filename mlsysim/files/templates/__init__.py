"""Commented question files to start from, one for each kind of question."""

from importlib.resources import files

from mlsysim.errors import ParameterError, suggest


def kinds() -> list[str]:
    """Name the kinds of questions for which there is one."""
    found = (item.name for item in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def template(kind: str) -> str:
    """Give the text of one; ``FILE`` in it stands for the name that it is written under.

    Parameters
    ----------
    kind
        What to ask about.

    Raises
    ------
    ParameterError
        If there is none of that kind.
    """
    if kind not in kinds():
        raise ParameterError(f"there is no question of kind {kind!r}{suggest(kind, kinds())}")
    return files(__name__).joinpath(f"{kind}.toml").read_text(encoding="utf-8")
