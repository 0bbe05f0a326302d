"""``python -m mlsysim``: the command line, where the script is not on the path."""

from mlsysim.cli import main

if __name__ == "__main__":
    main()
