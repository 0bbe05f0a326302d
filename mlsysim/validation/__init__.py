"""HOW FAR TO TRUST THE MODELS: their predictions against published measurements."""
