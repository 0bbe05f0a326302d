"""Questions answered in a process of their own, for servers that must stay responsive.

The live page has one such process for each tab, the server for agents one for each client: it is
asked from an event loop, tells its progress, ends a search when it is asked to, and is ended where
it does not.
"""
