"""The models that come with mlsysim: they unpack catalogue records and call `mlsysim.physics`."""
