#!/usr/bin/env python3
"""What libFuzzer's logs say: stamped, told in a line, and plotted.

    growth.py stamp <LOG >STAMPED        begins each line with the seconds since the first
    growth.py tell TARGET STAMPED        one line: executions, per second, edges, features
    growth.py table STAMPED...           the same as rows of a Markdown table, and the processor's time
    growth.py plot STAMPED... >SVG       edges against time, one small picture a target
    growth.py keep FROM TO               puts the inputs of FROM in place of those of TO

Logs TARGET.1.log, TARGET.2.log and so on up to TARGET.log, the last, are pieces of one run. A table adds
them up; its rate is by the processor's time if every piece tells it, else by the seconds of the wall. A
picture has them one after the other: each begins at the second at which the one before ended, and edges
that were found once stay found.
"""

import math
import os
import re
import shutil
import sys
import time

# Bytes of one target's corpus that are checked in: the smallest inputs first.
CORPUS_MAX = 84 << 10

# What it took of the processor: for the program itself, and in the kernel for it.
PROCESSOR = re.compile(r"fuzz: processor ([\d.]+) ([\d.]+)")
COVERED = re.compile(r"^([\d.]+) #(\d+)\s.*cov: (\d+) ft: (\d+)")
WIDTH, HEIGHT, COLUMNS, MARGIN = 210, 110, 3, 26


def stamp():
    begun = time.monotonic()
    for line in sys.stdin.buffer:
        sys.stdout.write(f"{time.monotonic() - begun:.2f} {line.decode('utf-8', 'replace')}")
        sys.stdout.flush()


def read(path):
    """The points (seconds, executions, edges, features) of a stamped log, and its last lines."""
    points, stats = [], {}
    with open(path, encoding="utf-8") as log:
        for line in log:
            if found := COVERED.match(line):
                points.append((float(found[1]), *map(int, found.groups()[1:])))
            elif found := PROCESSOR.search(line):
                stats["processor"] = sum(map(float, found.groups()))
            elif "stat::" in line:
                name, value = line.split("stat::")[1].split(":")
                stats[name] = int(value)
    return points, stats


def summary(path):
    points, stats = read(path)
    if not points or "number_of_executed_units" not in stats:
        raise SystemExit(f"{path}: not a whole log of libFuzzer; run the target again")
    executed = stats["number_of_executed_units"]
    seconds = max(points[-1][0] - points[0][0], 0.01)
    return executed, executed / seconds, points[-1][2], points[-1][3], seconds, stats.get("processor")


def by_target(paths):
    """The logs of each target, earlier pieces first: by their number, not by the letters of it."""
    pieces = {}
    for path in paths:
        target, *rest = os.path.basename(path).split(".")
        number = int(rest[0]) if rest and rest[0].isdigit() else math.inf
        pieces.setdefault(target, []).append((number, path))
    return {target: [path for _, path in sorted(of)] for target, of in pieces.items()}


def tell(target, path):
    executed, rate, edges, features, seconds, _ = summary(path)
    print(f"{target:<17} {executed:>9,} inputs in {seconds:.0f} s, {rate:>8,.0f}/s, "
          f"{edges:,} edges, {features:,} features")


def table(paths):
    for target, pieces in by_target(paths).items():
        executed, _, edges, features, seconds, processor = zip(*map(summary, pieces))
        told = None not in processor
        rate = sum(executed) / max(sum(processor if told else seconds), 0.01)
        busy = f"{sum(processor):,.0f}" if told else "not told"
        print(f"| `{target}` | {sum(seconds):,.0f} | {busy} | {sum(executed):,} | {rate:,.0f} "
              f"| {max(edges):,} | {max(features):,} |")


def curve(pieces):
    """The points (seconds, edges) of pieces, one after the other."""
    points, begun, most = [], 0, 0
    for path in pieces:
        for at, _, edges, _ in read(path)[0]:
            most = max(most, edges)
            points.append((begun + at, most))
        if not points:
            raise SystemExit(f"{path}: not a log of libFuzzer; run the target again")
        begun = points[-1][0]
    return points


def picture(target, pieces, left, top):
    points = curve(pieces)
    last, most = max(points[-1][0], 1), points[-1][1]
    least = points[0][1]
    def x(seconds):
        return left + MARGIN + seconds / last * (WIDTH - MARGIN - 10)
    def y(edges):
        return top + HEIGHT - 22 - (edges - least) / max(most - least, 1) * (HEIGHT - 46)
    line = " ".join(f"{x(at):.1f},{y(edges):.1f}" for at, edges in points)
    yield f'<text x="{left + MARGIN}" y="{top + 12}" class="name">{target}</text>'
    yield f'<polyline points="{line} {x(last):.1f},{y(most):.1f}"/>'
    yield f'<text x="{left + WIDTH - 10}" y="{y(most) - 4:.1f}" class="end">{most:,} edges</text>'
    yield f'<text x="{left + MARGIN}" y="{top + HEIGHT - 8}">{least:,} at 0 s</text>'
    yield f'<text x="{left + WIDTH - 10}" y="{top + HEIGHT - 8}" class="end">{last:,.0f} s</text>'


def plot(paths):
    targets = by_target(paths)
    rows = -(-len(targets) // COLUMNS)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {COLUMNS * WIDTH} {rows * HEIGHT}"'
          ' font-family="sans-serif" font-size="9">')
    print("<style>polyline{fill:none;stroke:#2563a8;stroke-width:1.2}.end{text-anchor:end}"
          ".name{font-weight:bold}text{fill:#444}</style>")
    print('<rect width="100%" height="100%" fill="white"/>')
    for number, (target, pieces) in enumerate(targets.items()):
        left, top = number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT
        print("\n".join(picture(target, pieces, left, top)))
    print("</svg>")


def keep(source, target):
    sizes = sorted((os.path.getsize(os.path.join(source, file)), file) for file in os.listdir(source))
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    kept = 0
    for number, (size, file) in enumerate(sizes):
        kept += size
        if kept > CORPUS_MAX:
            print(f"{target}: {number} of {len(sizes)} inputs, {kept - size:,} bytes: the smallest")
            return
        # Names that say nothing but which is which, and do not change with the content's digest.
        shutil.copy(os.path.join(source, file), os.path.join(target, f"{number:04}"))
    print(f"{target}: {len(sizes)} inputs, {kept:,} bytes")


def main(args):
    match args:
        case ["stamp"]:
            stamp()
        case ["tell", target, path]:
            tell(target, path)
        case ["table", *paths] if paths:
            table(paths)
        case ["plot", *paths] if paths:
            plot(paths)
        case ["keep", source, target]:
            keep(source, target)
        case _:
            raise SystemExit(__doc__)


main(sys.argv[1:])
