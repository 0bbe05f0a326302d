"""Load the machine, where LLVM is installed and nothing forbids it.

LLVM turns the machine into code for this processor in some hundredths of a second, so that
nothing is kept on disk and nothing compiled per question.  llvmlite brings LLVM as a wheel;
without it, or with one that is too old, everything is done by NumPy.
"""

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlsysim.expr.compiled.assembly import ENTRY, assembly

SWITCH = "MLSYSIM_COMPILED"
"""The environment variable that turns the machine off where it is 0."""

_POINTERS_AND_COUNTS = [
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
    ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p,
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class VectorMachine:
    """The machine in memory.

    Parameters
    ----------
    function
        Where it begins.
    kept
        What has to live as long.
    """

    function: Any
    kept: Any

    def run(
        self,
        *,
        code: NDArray[np.int32],
        tables: NDArray[np.float64],
        places: NDArray[np.int64],
        numbers: NDArray[np.float64],
        lanes: int,
        slots: NDArray[np.float64],
        wanted: NDArray[np.int32],
    ) -> NDArray[np.float64]:
        """Run instructions over all lanes; whoever calls vouches that they stay within memory.

        Parameters
        ----------
        code
            One instruction per row.
        tables
            What is looked up, one table after the other.
        places, numbers
            One row per input, one column per lane.
        lanes
            How many: a whole number of blocks.
        slots
            Room for a block of every result; constants stand there already.
        wanted
            The slots to give back.
        """
        results = np.empty((len(wanted), lanes))
        arrays = [array.ctypes.data for array in (code, tables, places, numbers)]
        ends = [array.ctypes.data for array in (wanted, results)]
        self.function(len(code), *arrays, lanes, slots.ctypes.data, len(wanted), *ends)
        return results


def machine() -> VectorMachine | None:
    """Give the machine; nothing where it is turned off or cannot be had."""
    return None if os.environ.get(SWITCH) == "0" else _loaded()


def is_loaded() -> bool:
    """Tell whether it was asked for before: then it costs nothing any more."""
    return bool(_loaded.cache_info().currsize)


@cache
def _loaded() -> VectorMachine | None:
    try:
        import llvmlite.binding as llvm  # noqa: PLC0415 - an extra, and 0.04 s to import

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        module = llvm.parse_assembly(assembly())
        module.verify()
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(),
            features=llvm.get_host_cpu_features().flatten(),
            opt=2,
            jit=True,
        )
        engine = llvm.create_mcjit_compiler(module, target)
        engine.finalize_object()
        address = engine.get_function_address(ENTRY)
    except (ImportError, AttributeError, OSError, RuntimeError):  # none, too old, or broken
        return None
    function = ctypes.CFUNCTYPE(None, *_POINTERS_AND_COUNTS)(address)
    return VectorMachine(function=function, kept=engine)
