"""What every driver in Python needs: the line protocol of docs/protocol.md, version 0.

Write a class with one method per operation that the engine offers, each taking the request (a
dict) and returning the outcome (a dict without its number), and hand an object of it to `serve`.
"""

import json
import sys

MAX_LINE = 64 << 20
DONE = {"outcome": "done"}


class Failed(Exception):
    """The operation fails with one of the protocol's error classes; the words are for people."""

    def __init__(self, error_class, words=""):
        super().__init__(words)
        self.error_class = error_class


def committed(sequence=None):
    return {"outcome": "committed"} | ({} if sequence is None else {"sequence": sequence})


def hex_or_none(content):
    return None if content is None else bytes(content).hex()


def value(content):
    return {"outcome": "value", "value": hex_or_none(content)}


def values(contents):
    return {"outcome": "values", "values": [hex_or_none(content) for content in contents]}


def entities(pairs):
    return {"outcome": "entities", "entities": [[bytes(i).hex(), bytes(c).hex()] for i, c in pairs]}


def serve(driver):
    """Answers requests in their order until a bye or the end of input.

    `driver.errors` are exceptions of the engine, which `driver.failed` turns into `Failed`; any
    other exception is a bug, and ends the process with its traceback on standard error.
    """
    for line in iter(lambda: sys.stdin.buffer.readline(MAX_LINE), b""):
        if not line.endswith(b"\n"):
            return
        request = json.loads(line)
        try:
            answer = DONE if request["op"] == "bye" else ask(driver, request)
        except Failed as failed:
            answer = {"outcome": "failed", "class": failed.error_class, "message": str(failed)}
        # The engine has returned: only now may the answer, an acknowledgement, leave this process.
        text = json.dumps({"n": request["n"], **answer}, separators=(",", ":"))
        sys.stdout.buffer.write(text.encode() + b"\n")
        sys.stdout.buffer.flush()
        if request["op"] == "bye":
            return


def ask(driver, request):
    operation = getattr(driver, request["op"], None)
    if operation is None:
        raise Failed("unsupported")
    try:
        return operation(request)
    except driver.errors as error:
        raise driver.failed(error) from error
