"""The interface of the tutorial: models, pipelines and searches over them.

It binds what the layers below provide and holds no formula and no search of
its own.
"""
