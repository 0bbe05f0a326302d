"""Question files: their schema, their strict reader, and how they bind to a pipeline."""
