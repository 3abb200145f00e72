"""Silence: no library under Gnomon may phone home.

Most libraries read these variables once, while they are being imported, so they are set by
``import gnomon`` itself, before anything else can be imported.
"""

import os

TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "DAFT_ANALYTICS_ENABLED": "0",
    "SCARF_NO_ANALYTICS": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "YES",
    "ANONYMIZED_TELEMETRY": "False",
}
"""Environment variables that switch a library's telemetry off, with the value that does so."""


def silence_telemetry() -> None:
    """Switch off every known telemetry. The user's own setting of a variable is overruled."""
    os.environ.update(TELEMETRY_OFF)
