"""What makes the environments fast and would be said otherwise if time did not matter.

A period of a small problem takes half a microsecond; everything around it counts. So the compiled loop gets the
address of a table of addresses in place of arrays, each of which numba would look at first; it writes the lines and
the observations of a whole episode into one memory, and an iterator reads them off; and the text of a dictionary is
made from the names of its fields and compiled by Python.

episode     one environment: its memory and the loop that plays a period of it
rows        a vector environment: the loop that plays a period of every row
info        what `info` tells, for one and for many

`tests/envs/test_fast.py` plays the same periods with the plain functions of the problem.
"""
