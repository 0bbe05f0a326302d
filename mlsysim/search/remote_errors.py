"""Errors that are raised in one process and have to be told in another."""

import pickle


class RemoteTraceback(Exception):  # noqa: N818 - shown as the cause of an error, never raised
    """Where in another process an error was raised."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def portable(error: Exception, where: str) -> Exception:
    """Give an error in a form that can be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was just written
    except Exception:  # noqa: BLE001 - whatever a foreign class may raise
        stand_in = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            stand_in.add_note(note)
        error = stand_in
    error.__dict__["remote"] = where
    return error


def reraised(error: Exception) -> Exception:
    """Give an error that came from another process, with its traceback there as the cause."""
    where = error.__dict__.pop("remote", None)
    if where is not None:
        error.__cause__ = RemoteTraceback(where)
    return error
