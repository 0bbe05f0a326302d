"""The question files of the repository; plans over time are files of another kind."""

from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
PLANS = sorted((MODELS / "plans").glob("*.toml"))
QUESTIONS = sorted({*MODELS.rglob("*.toml")} - {*PLANS})
