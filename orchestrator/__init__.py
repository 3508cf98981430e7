"""
The launcher: runs on the user's machine, cuts the work into lots and starts one task for each.

Of the worker it knows `worker.contract`, and nothing else.
"""
