"""The command ``mlsysim``: parse what is asked, print what is answered, nothing else."""

from mlsysim.cli.app import main as main
