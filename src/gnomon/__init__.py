"""Gnomon turns a body of literature into an expert that can be trusted.

Importing the package does one thing: it switches off the telemetry of the libraries Gnomon
stands on, which has to happen before the first of them is imported.
"""

from gnomon.core.quiet import silence_telemetry

silence_telemetry()

__version__ = "0.1.0"
__all__ = ["__version__"]
