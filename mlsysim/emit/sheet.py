"""What a framework is told: settings and remarks.

Every argument of the model that priced a design must end up in one of the
two.  An argument that an emitter says nothing about becomes a remark of its
own, so that nothing is dropped in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsysim.problem.domain import label


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One option of a framework.

    Parameters
    ----------
    name
        As the framework documents it, e.g. ``"--bf16"`` or ``"zero_optimization.stage"``.
    value
        What it is set to; ``True`` for a flag that takes no value, a tuple for several words.
    """

    name: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything that one framework is told about one design.

    Parameters
    ----------
    framework
        Its name, and the version whose documentation the options follow.
    settings
        The options, in order.
    remarks
        What has no counterpart, or what the user has to add.
    environment
        Variables of the environment that the framework insists on.
    """

    framework: str
    settings: tuple[Setting, ...]
    remarks: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(kw_only=True)
class Sheet:
    """Collects a `Launch` step by step.

    Parameters
    ----------
    framework
        Name and version.
    arguments
        Every argument of the model that priced the design.
    """

    framework: str
    arguments: Mapping[str, Any]
    _settings: list[Setting] = field(default_factory=list)
    _remarks: list[str] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=dict)
    _stated: set[str] = field(default_factory=set)

    def set(self, name: str, value: Any, *states: str) -> None:
        """Set an option, which states some of the arguments."""
        self._settings.append(Setting(name=name, value=value))
        self._stated.update(states)

    def turn_on(self, name: str, *states: str, when: bool = True) -> None:
        """Give a flag that takes no value, where it applies; its absence states as much."""
        if when:
            self.set(name, value=True)
        self._stated.update(states)

    def implies(self, *states: str) -> None:
        """State arguments that the framework does by itself, as the design has them."""
        self._stated.update(states)

    def remark(self, text: str, *states: str) -> None:
        """Say what has no counterpart, or what has to be added by hand."""
        self._remarks.append(text)
        self._stated.update(states)

    def export(self, variable: str, value: str) -> None:
        """Set a variable of the environment."""
        self._environment[variable] = value

    def launch(self) -> Launch:
        """Close the sheet."""
        name = self.framework.partition(" ")[0]
        unsaid = [
            f"no counterpart in {name}: {argument} = {label(value)}"
            for argument, value in self.arguments.items()
            if argument not in self._stated
        ]
        return Launch(
            framework=self.framework,
            settings=tuple(self._settings),
            remarks=(*self._remarks, *unsaid),
            environment=dict(self._environment),
        )
