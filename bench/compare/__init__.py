"""`make bench`: Latchkey and what it is compared with, side by side on this machine.

machine.py       which processor runs whom, and who used how much of it
databases.py     a PostgreSQL database for each, made and dropped here
peers.py         how each server is filled and started
oidc.py          the rows of the one that runs under Node.js
load.py          one round of requests, by wrk with load.lua
rounds.py        rounds of several servers by turns, and their medians
scenarios.py     what is measured
aims.py          what it is to show
report.py        results.md
__main__.py      the command
"""
