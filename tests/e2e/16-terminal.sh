#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On a terminal: rows fit it, also after its width has changed, the cursor is left where it belongs, and a pause by
# the shell (^Z, fg) is no end.
. "${0%/*}/lib.sh"
need_root

cat >terminal.py <<'END'
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time
width, slow, argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]

def resize(columns):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

def read_until(done, seconds):
    global seen
    end = time.monotonic() + seconds * slow
    while time.monotonic() < end and not done(seen):
        if select.select([master], [], [], 0.1)[0]:
            try:
                seen += os.read(master, 65536).decode(errors="replace")
            except OSError:
                break
        work()
    return done(seen)

def work():
    try:
        os.close(os.open("/nonexistent-" + "x" * 200, os.O_RDONLY))
    except OSError:
        pass

def rows(text):
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return [l.split("\r")[-1] for l in text.replace("\r\n", "\n").split("\n")]

master, slave = pty.openpty()
resize(width)
c = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                     env=dict(os.environ, TERM="xterm"))
seen = ""
row = re.compile(r"\d[\d:.]* +.*\n")  # begins with the time, or where there is no room for it with the process
assert read_until(lambda s: len(row.findall(s)) > 3, 20), seen
assert all(len(l) <= width for l in rows(seen) if row.match(l + "\n")), seen
seen = ""
resize(width // 2)
assert read_until(lambda s: s.count("COMM ") > 0, 10), seen
seen = seen[seen.index("COMM "):]
assert read_until(lambda s: len(row.findall(s)) > 3, 10), seen
bad = [l for l in rows(seen) if len(l) > width // 2 and (row.match(l + "\n") or "COMM " in l)]
assert width > 80 or "/nonexistent" in seen, seen  # what happened is shown however narrow it is
assert not bad, bad
c.send_signal(signal.SIGSTOP)
time.sleep(0.5)
c.send_signal(signal.SIGCONT)
seen = ""
assert read_until(lambda s: len(row.findall(s)) > 3, 10), "nothing after a pause: " + seen
c.send_signal(signal.SIGINT)
assert read_until(lambda s: "ledger" in s and "open" in s[s.rindex("ledger"):], 20), seen
assert c.wait(20 * slow) == 0, c.returncode
END
for width in 80 200; do
    t_check "one kind on $width columns, then half of that" \
        python3 terminal.py $width "$SLOW" "$SKEP" watch open --where 'ret < 0'
    t_check "several kinds" python3 terminal.py $width "$SLOW" "$SKEP" watch exec,open --where 'ret < 0'
done
"$SKEP" watch exec,open -- /bin/sh -c '/bin/cat /nonexistent-file; true' >pipe.out 2>/dev/null
t_check "in a pipe several kinds are said in words" \
    grep -Eq '^[0-9:.]+ +open +[0-9]+ +cat +/nonexistent-file O_RDONLY = ENOENT$' pipe.out
t_check "under a header that says so" grep -Eqx 'TIME +KIND +PID +COMM +EVENT' pipe.out
t_check "and without colours" ended_with 1 grep -q $'\033' pipe.out
