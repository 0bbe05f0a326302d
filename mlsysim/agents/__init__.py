"""A server of the Model Context Protocol: what agents can ask of the package.

``mlsysim mcp`` speaks it over standard input and output, with the protocol's own SDK.  Every tool
takes the text of a question file, or the path of one, so that what an agent asks can be saved, read
by a person, and asked again on the command line.
"""
