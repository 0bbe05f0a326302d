"""Moments of a plan in words."""


def moment_text(moment: int) -> str:
    """Write a moment as days and hours from the begin of the plan.

    Examples
    --------
    >>> moment_text(36 * 3600), moment_text(90)
    ('day 1 12:00', '90 s')
    """
    if moment and moment < 3600:  # noqa: PLR2004 - an hour
        return f"{moment} s"
    days, rest = divmod(moment, 86400)
    hours, rest = divmod(rest, 3600)
    return f"day {days} {hours:02d}:{rest // 60:02d}"


def span_text(span: int) -> str:
    """Write how long something lasts.

    Examples
    --------
    >>> span_text(36 * 3600), span_text(4 * 86400), span_text(90)
    ('36 h', '4 d', '90 s')
    """
    for unit, size in (("d", 86400), ("h", 3600)):
        if span and span % size == 0:
            return f"{span // size} {unit}"
    return f"{span / 3600:.2f} h" if span > 3600 else f"{span} s"  # noqa: PLR2004 - an hour
