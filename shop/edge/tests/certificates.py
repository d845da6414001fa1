"""A certificate for tests."""

import shutil
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path) -> dict[str, str]:
    """Make a certificate for localhost and its key; return the edge's settings that name them."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: apt-get install openssl")
    names = {"EDGE_CERTIFICATE": str(folder / "edge.crt"), "EDGE_CERTIFICATE_KEY": str(folder / "edge.key")}
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-out", names["EDGE_CERTIFICATE"], "-keyout", names["EDGE_CERTIFICATE_KEY"]]
    subprocess.run(command, check=True, capture_output=True)
    return names
