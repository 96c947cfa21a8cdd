"""What the support scripts share: where the cache is, and what to do when something cannot be had."""
import hashlib
import os
import pathlib
import sys


def cache_root():
    return pathlib.Path(os.environ.get("STROBE_CACHE", "~/.cache/strobe")).expanduser()


def model_cache():
    """The folder with the real models, the oracle's data and the node cases; outside the source tree."""
    return pathlib.Path(os.environ.get("STROBE_MODEL_CACHE", cache_root() / "models")).expanduser()


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def script_hash(*paths):
    """One hash for several files: a stamp that changes with the scripts that made a result."""
    return hashlib.sha256("".join(sha256(path) for path in paths).encode()).hexdigest()


def finish(skipped):
    """Ends the script: what was skipped is named; a skip is a failure in CI, where it would hide a missing check."""
    for what, why in skipped:
        print(f"skipped {what}: {why}", file=sys.stderr)
    sys.exit(1 if skipped and os.environ.get("CI") == "true" else 0)
