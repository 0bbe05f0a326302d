"""One machine: training and serving read the same figures, or the difference has a name."""

import dataclasses
import itertools

import pytest

from mlsysim.catalog import Accelerator, Calibration, Cluster, Models, Node, Systems
from mlsysim.core.solver import DistributedModel, ServingModel, SingleNodeModel
from mlsysim.errors import MissingFigureError
from mlsysim.physics.partition import filled_domain, members_together
from mlsysim.stages.calibration import calibration_of, differences, serving_part
from mlsysim.stages.machine import Fleet, Machine, machine_of

# Figure of a machine -> the constants of which it is a product.
MADE_OF = {
    "efficiency": ("sustained",),
    "wide_efficiency": ("sustained",),
    "projection_rate": ("sustained",),
    "core_rate": ("sustained", "attention_efficiency"),
    "link_latency": ("collective_factor",),
    "collective_overhead": ("collective_factor",),
    "runtime_reserve": ("runtime_reserve",),
}


def both(fleet: Fleet, precision: str) -> tuple[Machine, Machine]:
    """Read a fleet as training and as serving do."""
    accelerator = fleet if isinstance(fleet, Accelerator) else fleet.accelerator
    family = calibration_of(accelerator)
    training, serving = (
        machine_of(fleet, precision, family, constants)
        for constants in (family, serving_part(family))
    )
    return training, serving


def check_same(fleet: Fleet, family: Calibration) -> None:
    """Demand that figures are equal, or that named and sourced constants account for it."""
    named = {found.name: found for found in differences(family)}
    accelerator = fleet if isinstance(fleet, Accelerator) else fleet.accelerator
    for precision in accelerator.precisions:
        try:
            training, serving = both(fleet, precision)
        except MissingFigureError:
            pytest.skip("the bandwidth of its links is not known")
        # Without a network its figures are those of the links.
        links = training.domain == training.accelerators
        for field in dataclasses.fields(Machine):
            first, second = (getattr(one, field.name) for one in (training, serving))
            ratio = 1.0
            made = field.name.replace("network_", "link_") if links else field.name
            for name in MADE_OF.get(made, ()):
                if name in named:
                    ratio *= named[name].serving.value / named[name].training.value
            if made == "link_bandwidth":  # messages of serving are short
                ratio *= family.short_link_factor
            assert second == pytest.approx(first * ratio, rel=1e-12), (precision, field.name)


@pytest.mark.parametrize("accelerator", Systems.Accelerators.values(), ids=str)
def test_training_and_serving_read_one_accelerator(accelerator: Accelerator) -> None:
    """In each of its precisions, whatever is not named as a difference is the same."""
    check_same(accelerator, calibration_of(accelerator))


@pytest.mark.parametrize("cluster", Systems.Clusters.values(), ids=str)
def test_training_and_serving_read_one_cluster(cluster: Cluster) -> None:
    """Domains and networks are the same as well."""
    check_same(cluster, calibration_of(cluster.accelerator))


@pytest.mark.parametrize("family", Systems.Calibrations.values(), ids=str)
def test_every_difference_says_who_and_why(family: Calibration) -> None:
    """Each has a source on either side, and serving's a reason."""
    for found in differences(family):
        assert "default" not in (found.training.source, found.serving.source), found.name
        assert found.serving.note, found.name


def test_a_calibration_of_ones_own_differs_in_what_it_states() -> None:
    """Without a serving part of its own it has that of all engines."""
    mine = Calibration(name="Mine", imbalance=1.0)
    shown = {found.name: found for found in differences(mine)}
    assert shown["imbalance"].training.value == 1.0
    assert serving_part(mine) is Systems.ServingCalibrations.All_Engines
    even = mine.replace(serving=serving_part(mine).replace(imbalance=1.0))
    assert "imbalance" not in {found.name for found in differences(even)}


def test_all_stages_take_a_calibration() -> None:
    """What stands in for figures of an accelerator, and the serving part, change predictions."""
    bare = Systems.Accelerators.H100_SXM.replace(
        name="Bare", memory_efficiency=None, product_efficiencies={}, matmul_efficiencies={}
    )
    node = Systems.Nodes.DGX_H100.replace(name="Bare_node", accelerator=bare)
    cluster = Systems.Clusters.Frontier_8K.replace(name="Bare_cluster", node=node, nodes=2)
    model, slow = Models.Language.Llama3_8B, Calibration(memory_efficiency=0.4)
    fast = slow.replace(memory_efficiency=0.8)
    times = [
        (
            DistributedModel(calibration=one)
            .solve(model=model, fleet=cluster, batch_size=64)
            .step_latency_total,
            ServingModel(calibration=one)
            .solve(model=model, fleet=node, batch_size=1, input_tokens=1000, output_tokens=100)
            .inter_token_latency,
            SingleNodeModel(calibration=one)
            .solve(model=model, accelerator=bare, seq_len=1, efficiency=0.5)
            .latency,
        )
        for one in (slow, fast)
    ]
    for before, after in zip(*times, strict=True):
        assert before > after


def trays(count: int) -> Cluster:
    """Make a cluster of trays of four, of which a rack joins 72 accelerators."""
    tray = Node(
        name="Tray",
        accelerator=Systems.Accelerators.GB200,
        accelerators=4,
        nic_bandwidth="50 GB/s",
        scale_up_domain=72,
    )
    return Cluster(name="Trays", node=tray, nodes=count, fabric=Systems.Fabrics.IB_NDR)


def test_a_rack_of_trays_is_one_domain_for_all() -> None:
    """Trays of four in racks of 72: neither training nor serving reads 64."""
    for machine in both(trays(36), "bf16"):
        assert (machine.domain, machine.accelerators) == (72, 144)


def test_a_job_that_fits_a_rack_stays_inside() -> None:
    """All 72 of 18 trays talk over links: nothing of a step takes the network."""
    rack = trays(18)
    fabric = rack.fabric.replace(name="Slow", bandwidth="1 GB/s")
    slow = rack.replace(name="Slow_trays", fabric=fabric)
    results = [
        DistributedModel().solve(
            model=Models.Language.Llama3_8B, fleet=fleet, batch_size=72, tp_size=8
        )
        for fleet in (rack, slow)
    ]
    assert results[0].step_latency_total == results[1].step_latency_total


def brute_force(domain: int, node: int, block: int) -> int:
    """Take whole blocks from a domain as long as there are any, then whole nodes of that."""
    taken = 0
    while taken + block <= domain:
        taken += block
    return taken // node * node


def test_a_job_takes_whole_groups_of_a_domain() -> None:
    """The largest group that fits decides; in what is taken it lies in one domain."""
    for node, inner, times in itertools.product((4, 8), (1, 2, 4, 6, 8, 16, 32), (1, 2, 3, 8)):
        outer = inner * times
        block = max(size for size in (node, inner, outer) if size <= 72)
        taken = filled_domain(72, node, 1024, inner, outer)
        assert taken == brute_force(72, node, block)
        for size in (inner, outer):
            if size <= 72 and taken % block == 0 and block % size == 0:
                assert members_together(size, 1, taken, 1024) == size


def test_sixteen_way_groups_of_several_racks_stay_in_racks() -> None:
    """Of each 72 a job takes 64, as jobs of whole power-of-two groups do; eight-way takes 72."""
    for size, taken in ((8, 72), (16, 64), (24, 72), (32, 64), (64, 64), (72, 72)):
        assert filled_domain(72, 4, 1152, size) == taken
        assert members_together(size, 1, taken, 1152) == size
