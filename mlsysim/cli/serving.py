"""``mlsysim serve``: the live page."""

from pathlib import Path

from mlsysim.cli.extras import extra
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.files.reading import written
from mlsysim.files.templates import template


def serve_page(file: Path | None, *, host: str, port: int) -> ExitStatus:
    """Serve the live page until Ctrl-C.

    Parameters
    ----------
    file
        The question to begin with; one about serving if not given.
    host, port
        Where to listen.

    Raises
    ------
    ParameterError
        If the page's library is not installed.
    """
    with errors_to_status(), extra("page", "the page"):
        from mlsysim.live.app import serve  # noqa: PLC0415 - in an extra
        from mlsysim.live.draft import TabDraft  # noqa: PLC0415
    with errors_to_status(file):
        path = Path("serving.toml") if file is None else file
        text = template("serving").replace("FILE", str(path)) if file is None else written(file)

        def tell(address: str) -> None:
            say(f"The page is at {address}\nCtrl-C ends it.\n")

        serve(TabDraft(text=text, path=path), host=host, port=port, told=tell)
    return ExitStatus.ANSWERED
