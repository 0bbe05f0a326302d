"""A scheduling problem as a CP-SAT model: optional intervals under cumulative supply.

The modes of an activity that run without a pause and hold the same resources share one
interval, whose size and demand are linear in the choice of the mode: that proves more than an
interval per mode.  A mode that pauses is an interval for each of its pieces.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from mlsysim.plans.model.instance import Activity, Instance, Mode, Resource
from mlsysim.plans.model.peaks import peaks_of
from mlsysim.plans.records.goal import Goal
from mlsysim.search.cpsat.cp_model import cp_model


class Model:
    """The model of one problem.

    Parameters
    ----------
    instance
        The problem.

    Attributes
    ----------
    model
        What CP-SAT solves.
    starts, ends
        Activity -> its variables.
    chosen
        Activity -> a literal for each of its modes.
    lots
        Option -> how many lots are taken.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.model = cp_model.CpModel()
        self.starts: dict[str, Any] = {}
        self.ends: dict[str, Any] = {}
        self.chosen: dict[str, list[Any]] = {}
        self.lots: dict[tuple[str, str], Any] = {}
        self._held: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
        self._fees: dict[str, list[Any]] = defaultdict(list)
        for activity in instance.activities:
            self._add(activity)
        for activity in instance.activities:
            for other in activity.after:
                self.model.add(self.starts[activity.name] >= self.ends[other])
        for resource in instance.resources:
            self._supply(resource)
        for name, limit in instance.limits.items():
            self.model.add(sum(self._fees[name]) <= limit)
        for goal, most in instance.most.items():
            self.model.add(self.minimize(goal) <= most)

    def _add(self, activity: Activity) -> None:
        """Add an activity: one mode of it, its start, its end, what it holds."""
        model, name, modes = self.model, activity.name, activity.modes
        latest = max(mode.last for mode in modes)
        begin = model.new_int_var(min(mode.first for mode in modes), latest, f"{name} begins")
        longest = max(mode.length + mode.slack for mode in modes)
        end = model.new_int_var(0, latest + longest, f"{name} ends")
        chosen = [model.new_bool_var(f"{name} {place}") for place in range(len(modes))]
        model.add_exactly_one(chosen)
        self.starts[name], self.ends[name], self.chosen[name] = begin, end, chosen
        model.add(begin >= _linear([mode.first for mode in modes], chosen))
        model.add(begin <= _linear([mode.last for mode in modes], chosen))
        length = _linear([mode.length for mode in modes], chosen)
        if any(mode.slack for mode in modes):
            model.add(end >= begin + length)
            model.add(end <= begin + length + _linear([mode.slack for mode in modes], chosen))
        else:
            model.add(end == begin + length)
        self._hold(activity)
        self._charge(activity)

    def _hold(self, activity: Activity) -> None:
        """Add the intervals in which an activity holds resources."""
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, mode in enumerate(activity.modes):
            if mode.pauses:
                self._pieces(activity, mode, self.chosen[activity.name][place])
            else:
                groups[tuple(sorted(mode.demands))].append(place)
        for names, places in groups.items():
            self._shared(activity, names, places)

    def _shared(self, activity: Activity, names: Sequence[str], places: list[int]) -> None:
        """Add one interval for all modes that hold the same resources, straight through."""
        model, name = self.model, activity.name
        modes = [activity.modes[place] for place in places]
        chosen = [self.chosen[name][place] for place in places]
        lengths = [mode.length for mode in modes]
        size = self._chosen_amount(f"{name} lasts", lengths, chosen)
        if len(places) == len(activity.modes):
            interval = model.new_interval_var(self.starts[name], size, self.ends[name], name)
        else:
            present = model.new_bool_var(f"{name} straight on {'+'.join(names)}")
            model.add_exactly_one([*chosen, present.negated()])
            interval = model.new_optional_interval_var(
                self.starts[name], size, self.ends[name], present, name
            )
        for resource in names:
            amounts = [mode.demands[resource] for mode in modes]
            demand = self._chosen_amount(f"{name} holds {resource}", amounts, chosen)
            self._held[resource].append((interval, demand))

    def _chosen_amount(self, name: str, amounts: Sequence[int], chosen: Sequence[Any]) -> Any:
        """Give the amount of the mode that is chosen; any of them if none is."""
        if len(set(amounts)) == 1:
            return amounts[0]
        found = self.model.new_int_var(min(amounts), max(amounts), name)
        for literal, amount in zip(chosen, amounts, strict=True):
            self.model.add(found == amount).only_enforce_if(literal)
        return found

    def _pieces(self, activity: Activity, mode: Mode, literal: Any) -> None:
        """Add an interval for each piece of a mode that pauses."""
        model, begin, end = self.model, self.starts[activity.name], self.ends[activity.name]
        stops = [stop for stop, _ in mode.pauses]
        goes = [go for _, go in mode.pauses]
        most = mode.last + mode.length + mode.slack
        first = model.new_int_var(0, max(stops[0] - mode.first, 0), "")
        last = model.new_int_var(0, max(most - goes[-1], 0), "")
        pieces: list[tuple[Any, Any, Any]] = [(begin, first, stops[0]), (goes[-1], last, end)]
        pieces += [
            (go, stop - go, stop)
            for go, stop in zip(goes[:-1], stops[1:], strict=True)
            if stop > go
        ]
        for start, size, until in pieces:
            interval = model.new_optional_interval_var(start, size, until, literal, "")
            for resource, amount in mode.demands.items():
                self._held[resource].append((interval, amount))

    def _charge(self, activity: Activity) -> None:
        """Add what the modes cost; a literal per start where it depends on that."""
        model, start = self.model, self.starts[activity.name]
        terms: list[Any] = []
        free = []
        for literal, mode in zip(self.chosen[activity.name], activity.modes, strict=True):
            timed = {name: fee for name, fee in mode.fees.items() if isinstance(fee, tuple)}
            for name, fee in mode.fees.items():
                if isinstance(fee, int) and fee:
                    self._fees[name].append(fee * literal)
            if not timed:
                free.append((literal, mode.last))
                continue
            places = [
                place
                for place in range(mode.last - mode.first + 1)
                if all(fees[place] is not None for fees in timed.values())
            ]
            at = [model.new_bool_var("") for _ in places]
            model.add_exactly_one([*at, literal.negated()])
            terms += [(mode.first + place) * one for place, one in zip(places, at, strict=True)]
            for name, fees in timed.items():
                self._fees[name] += [
                    (fees[place] or 0) * one for place, one in zip(places, at, strict=True)
                ]
        if terms and free:
            # Where the fees of some modes do not depend on the start, it is free in those.
            rest = model.new_int_var(0, max(0, *(last for _, last in free)), "")
            model.add(rest <= sum(last * literal for literal, last in free))
            terms.append(rest)
        if terms:
            model.add(start == sum(terms))

    def _supply(self, resource: Resource) -> None:
        """Limit what is held of a resource: its calendar is held by intervals of its own."""
        model, held = self.model, self._held[resource.name]
        intervals = [interval for interval, _ in held]
        demands = [demand for _, demand in held]
        for begin, end, amount in resource.missing(self.instance.horizon):
            intervals.append(model.new_fixed_size_interval_var(begin, end - begin, ""))
            demands.append(amount)
        for option in resource.options:
            taken = model.new_int_var(0, option.lots, f"lots of {option.name}")
            self.lots[option.name] = taken
            size = option.end - option.begin
            intervals.append(model.new_fixed_size_interval_var(option.begin, size, ""))
            demands.append(option.amount * option.lots - option.amount * taken)
            for name, fee in option.fees.items():
                self._fees[name].append(fee * taken)
        if held:
            model.add_cumulative(intervals, demands, resource.most)

    def minimize(self, goal: Goal) -> Any:
        """Give what a goal minimises, as an expression of whole numbers."""
        match goal:
            case Goal.MAKESPAN:
                return self._makespan()
            case Goal.TARDINESS:
                return sum(item.weight * self._late(item) for item in self._due())
            case Goal.MAX_TARDINESS:
                return self._latest()
            case Goal.LATE:
                return sum(item.weight * self._is_late(item) for item in self._due())
            case Goal.COST | Goal.CARBON | Goal.CHANGES:
                return sum(self._fees[goal.value])
            case Goal.NODES:
                return sum(self._peak(item) for item in self.instance.resources if item.peaks)
            case _:
                assert_never(goal)

    def hint(self, chosen: Mapping[str, tuple[int, int]], lots: Mapping[Any, int]) -> None:
        """Let the next run start from a plan.

        Parameters
        ----------
        chosen
            Activity -> its mode and its start.
        lots
            Option -> how many lots are taken.
        """
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for activity in self.instance.activities:
            taken, start = chosen[activity.name]
            for place, literal in enumerate(self.chosen[activity.name]):
                self.model.add_hint(literal, place == taken)
            self.model.add_hint(self.starts[activity.name], start)
            end = start + activity.modes[taken].length
            self.model.add_hint(self.ends[activity.name], end)
        for name, variable in self.lots.items():
            self.model.add_hint(variable, lots.get(name, 0))

    def _due(self) -> list[Activity]:
        return [item for item in self.instance.activities if item.due is not None]

    def _makespan(self) -> Any:
        latest = self.model.new_int_var(0, self.instance.horizon, "makespan")
        for activity in self.instance.activities:
            if activity.is_work:
                self.model.add(latest >= self.ends[activity.name])
        return latest

    def _latest(self) -> Any:
        most = self.model.new_int_var(0, self.instance.horizon, "largest lateness")
        for activity in self._due():
            self.model.add(most >= self.ends[activity.name] - (activity.due or 0))
        return most

    def _late(self, activity: Activity) -> Any:
        late = self.model.new_int_var(0, self.instance.horizon, f"{activity.name} late")
        self.model.add(late >= self.ends[activity.name] - (activity.due or 0))
        return late

    def _is_late(self, activity: Activity) -> Any:
        late = self.model.new_bool_var(f"{activity.name} is late")
        ended = self.model.add(self.ends[activity.name] <= (activity.due or 0))
        ended.only_enforce_if(late.negated())
        return late

    def _peak(self, resource: Resource) -> Any:
        held = self._held[resource.name]
        if not held:
            return 0
        amounts = cp_model.Domain.from_values(peaks_of(self.instance, resource))
        peak = self.model.new_int_var_from_domain(amounts, f"peak of {resource.name}")
        self.model.add_cumulative([item for item, _ in held], [item for _, item in held], peak)
        return peak


def _linear(factors: Sequence[int], literals: Sequence[Any]) -> Any:
    """Sum up the factor of the literal that holds."""
    if len(set(factors)) == 1:
        return factors[0]
    return sum(factor * literal for factor, literal in zip(factors, literals, strict=True))
