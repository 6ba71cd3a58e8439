"""Lists where cbor2's canonical mode departs from the vectors, by rule: `python3 compare.py [DIRECTORY]`.

Needs `pip install cbor2`. A departure is no fault of cbor2, which does not claim to be strict.
"""

import collections
import pathlib
import sys

import cbor2

import vectors


def encoding(data):
    """What cbor2 makes of bytes and writes again, or None if it refuses them."""
    try:
        return cbor2.dumps(cbor2.loads(data), canonical=True)
    except Exception:  # whatever it raises, it refuses
        return None


def main(directory):
    departures = collections.Counter()
    sources = {}
    for family, found in vectors.load(directory, vectors.ANY):
        for vector in found if family == "cbor" else []:
            sources[vector["rule"]] = vector["source"]
            # A limit is the caller's, and of no concern to a codec without any; for lengths that
            # exceed the input, and for maps nested as keys, it takes without end.
            if "given" in vector or vector["rule"] in ("length-claims", "depth"):
                continue
            again = encoding(vector["bytes"])
            if vector["expect"]["floats"] == "accept":
                if again is None:
                    departures[vector["rule"], "refuses what is canonical"] += 1
                elif again != vector["bytes"]:
                    departures[vector["rule"], "writes other bytes"] += 1
            elif again is not None:
                departures[vector["rule"], "accepts"] += 1
    for (rule, what), count in sorted(departures.items()):
        print(f"| {rule} | {what} | {count} | {sources[rule]} |")


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    main(sys.argv[1] if len(sys.argv) > 1 else here.parent.parent / "vectors")
