"""The test harness: what stands around the running program while real peers call it.

Knows processes, network namespaces, captures and audio. Must never import, link or
parse with anything of the program's own: a mistake made on both sides would hide.
"""
