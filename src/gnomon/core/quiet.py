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
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "DISABLE_TELEMETRY": "YES",
    "ANONYMIZED_TELEMETRY": "False",
}
"""Environment variables that switch a library's telemetry off, with the value that does so."""
LESS_NOISE = {"LANCE_LOG": "error", "LANCEDB_LOG": "error", "TRANSFORMERS_VERBOSITY": "error"}
"""Variables that keep a library's own log lines off the user's screen unless the user asks for them."""


def silence_telemetry() -> None:
    """Switch off every known telemetry, over the user's own setting; and noise, unless the user set it."""
    os.environ.update(TELEMETRY_OFF)
    for name, value in LESS_NOISE.items():
        os.environ.setdefault(name, value)
