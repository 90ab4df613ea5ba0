# SPDX-License-Identifier: Apache-2.0
"""What rules cost: in the kernel for those who are watched, and in user space for each event that is judged."""
import json
import os
import resource
import subprocess
import tempfile
import time

import bars


def name(path):
    """What the rules of a file, or without one those that are built in, are called in a table."""
    return os.path.basename(path) if path else "built-in"


def options(path):
    return ["--rules", path] if path else []


def kernel(costs, running, rounds, empty, skep, rules):
    """costs(job) measures one job; running(argv) is a watcher."""
    jobs = ["getppid", "open", "spawn"]
    variants = [
        ("nothing attached", None),
        ("empty raw_tp sys_exit", [empty]),
        ("rules", [skep, "run"] + rules),
        ("rules, nothing dropped in the kernel", [skep, "run", "--no-pushdown"] + rules),
    ]
    best = {}
    for _ in range(rounds):
        for name, argv in variants:
            watcher = running(argv) if argv else None
            for job in jobs:
                best[name, job] = min(best.get((name, job), 1e18), costs(job))
            if watcher:
                watcher.stop()
    print("| cost of one, with rules | " + " | ".join(jobs) + " |")
    print("|---|" + "---|" * len(jobs))
    for name, _ in variants:
        cells = []
        for job in jobs:
            bare, it = best["nothing attached", job], best[name, job]
            cells.append(f"{it:.0f} ns" if name == "nothing attached" else f"{it / bare:.2f}x ({it - bare:+.0f} ns)")
        print(f"| {name} | " + " | ".join(cells) + " |")
    added = {job: best["rules", job] - best["nothing attached", job] for job in jobs}
    empty_added = max(best["empty raw_tp sys_exit", "getppid"] - best["nothing attached", "getppid"], 0.1)
    print()
    bars.at_most("a system call that no rule wants, in added cost of an empty raw_tp sys_exit program", 1.25,
                 added["getppid"] / empty_added, "x")
    bars.at_most("open+close of a file that no rule wants", 150, added["open"], " ns added", ".0f")
    bars.at_most("fork+exec+exit, with rules", 10000, added["spawn"], " ns added", ".0f")


def memory(running, skep, rules):
    watcher = running([skep, "run"] + rules)
    time.sleep(1)
    resident = watcher.memory()[0]
    watcher.stop()
    print(f"Resident memory with the rules, idle: {resident:.1f} MiB.")
    bars.at_most("resident memory with the rules, idle", 40, resident, " MiB", ".1f")


def verdict(running, skep, work, rules):
    """A flood of opens through ring, pipeline and rules, reader on a processor of its own."""
    with tempfile.TemporaryFile() as out:
        watcher = running([skep, "run", "--no-pushdown", "--events", "--json", "--kinds", "open", "--comm", "bench_workload"] + rules,
                          pin=1, stdout=out)
        before = watcher.cpu()
        work("flood", 3, pin=0)
        time.sleep(0.5)
        used, resident = watcher.cpu() - before, watcher.memory()[1]
        watcher.stop()
        out.seek(max(0, out.seek(0, 2) - 65536))
        row = json.loads(out.read().splitlines()[-1])["kinds"]["open"]
    emitted, lost = row["emitted"], sum(row["lost"].values())
    print(f"A flood of opens, each judged and written as JSON: {emitted / used / 1e6:.2f} M events per second of processor time "
          f"({emitted} in {used:.2f} s, {lost} lost), at most {resident:.1f} MiB resident.")
    bars.at_most("resident memory with the rules, in a flood as JSON", 40, resident, " MiB", ".1f")


def judge(skep, recording, rules):
    """The report of `skep rules test`, and processor seconds of the whole command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([skep, "rules", "test", "-q", "--json"] + rules + [recording], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if out.returncode:
        raise RuntimeError(out.stderr)
    return json.loads(out.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def synthetic(path, n):
    """n rules, each about files and programs of its own."""
    with open(path, "w") as f:
        for i in range(n):
            f.write(f"- rule: synthetic {i}\n  desc: x\n  output: x %fd.name\n  priority: NOTICE\n"
                    f"  condition: evt.type in (open, openat) and fd.name = /no/such/{i}"
                    f" and not proc.name in (p{i}, q{i}) and user.uid != {i}\n")


def user(skep, work, rules):
    with tempfile.TemporaryDirectory() as top:
        recording = os.path.join(top, "all.skep")
        recorder = subprocess.Popen([skep, "record", "-o", recording, "--memory", "64M"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        work("flood", 2)
        work("spawn", 1)
        work("connect", 0.5)
        time.sleep(0.5)
        recorder.terminate()
        recorder.wait(60)
        print("\n| rules over a recording | events | judging | events/s of one processor while judging |")
        print("|---|---|---|---|")
        rows = [("as given", rules), ("as given, interpreted", ["--interpret"] + rules)]
        for n in (100, 1000):
            path = os.path.join(top, f"{n}.yaml")
            synthetic(path, n)
            rows.append((f"{n} synthetic ones", ["--rules", path]))
        cost = {}
        for what, given in rows:
            best = None
            for _ in range(3):
                report, _ = judge(skep, recording, given)
                best = min(best or 1e9, report["ns_per_event"])
            cost[what] = best
            print(f"| {what} | {report['events']} | {best:.0f} ns/event | {1e3 / best:.2f} M |")
        print(f"\n1,000 rules cost {cost['1000 synthetic ones'] / cost['100 synthetic ones']:.2f}x of 100.")
        bars.at_least("the rules judging, events of one processor second", 1, 1e3 / cost["as given"], " M")
        bars.at_most("1,000 rules, in cost of 100", 2, cost["1000 synthetic ones"] / cost["100 synthetic ones"], "x")


def compile_time(skep, rules):
    def once(argv):
        begin = time.monotonic()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - begin

    bare = min(once([skep, "version"]) for _ in range(5))
    files = [r for r in rules if r != "--rules"]
    took = min(once([skep, "rules", "explain", "--selection"] + files) for _ in range(5))
    print(f"Reading, compiling and loading the rules: {(took - bare) * 1e3:.0f} ms.")
    bars.at_most("reading, compiling and loading the rules", 200, (took - bare) * 1e3, " ms", ".0f")


def main(skep, empty, work, running, rounds, path):
    rules = options(path)
    print(f"\n## Rules: {name(path)}\n")
    kernel(work, running, rounds, empty, skep, rules)
    memory(running, skep, rules)
    verdict(running, skep, work, rules)
    user(skep, work, rules)
    compile_time(skep, rules)
