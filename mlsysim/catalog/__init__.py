"""Vetted data: accelerators, nodes, fabrics, clusters, ML models and grids.

Every figure carries its source and a confidence.  Peaks are dense, links are
per direction, memory is what software sees; a figure that nobody states is
missing, and needing it is an error.  No file is read before a tree is touched.
"""

from mlsysim.catalog.accelerator import Accelerator as Accelerator
from mlsysim.catalog.accelerator import Precision as Precision
from mlsysim.catalog.builtin import Infrastructure as Infrastructure
from mlsysim.catalog.builtin import Models as Models
from mlsysim.catalog.builtin import Systems as Systems
from mlsysim.catalog.builtin import find as find
from mlsysim.catalog.calibration import Calibration as Calibration
from mlsysim.catalog.calibration import ServingCalibration as ServingCalibration
from mlsysim.catalog.cluster import Cluster as Cluster
from mlsysim.catalog.fabric import Fabric as Fabric
from mlsysim.catalog.figure import Confidence as Confidence
from mlsysim.catalog.figure import Figure as Figure
from mlsysim.catalog.figure import Provenance as Provenance
from mlsysim.catalog.grid import Grid as Grid
from mlsysim.catalog.language_model import LanguageModel as LanguageModel
from mlsysim.catalog.layer import LayerGroup as LayerGroup
from mlsysim.catalog.layer import Mixer as Mixer
from mlsysim.catalog.layer import Normalization as Normalization
from mlsysim.catalog.node import Node as Node
from mlsysim.catalog.number_format import NumberFormat as NumberFormat
from mlsysim.catalog.record import Record as Record
from mlsysim.catalog.tree import Branch as Branch
from mlsysim.catalog.tree import Tree as Tree
from mlsysim.catalog.user import Catalog as Catalog
from mlsysim.catalog.user import load_catalog as load_catalog
from mlsysim.catalog.vision_model import VisionModel as VisionModel
