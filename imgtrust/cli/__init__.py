"""The command line: flags become one call, its result a report and an exit status.

The only place that prints, exits, and reads the clock and the environment. It decides nothing about images.
"""
