#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# The sinks that alerts go to, each against the real thing: files on a full disk, an HTTP server with all its moods, TLS
# with certificates on both sides, a syslog socket, programs that die or take nothing.
. "${0%/*}/lib.sh"

FEED=$BUILD/tests/export/sink_feed
[ -x "$FEED" ] || skip_all "sink_feed was not built"
need_command python3

# feed NAME ARGS...: standard input to the sinks; what they say in NAME.out and NAME.err.
feed() {
    local name=$1
    shift
    timeout $((30 * SLOW)) "$FEED" "$@" >"$name.out" 2>"$name.err"
}

# counted NAME WHAT...: the account of that run adds up, and these are in it.
counted() {
    local name=$1
    shift
    grep -A 20 Sanitizer "$name.err" && return 1 # of a build that has them
    python3 "$HERE/sinks.py" check "$@" <"$name.err"
}

# start_server NAME ARGS...: an HTTP server that keeps its notes in the folder NAME; $PORT is its port.
start_server() {
    local name=$1
    shift
    mkdir "$name"
    background python3 "$HERE/sinks.py" http "$name" "$@"
    wait_for 10 test -e "$name/port" || return 1
    PORT=$(cat "$name/port")
}

# requests NAME PATH: how many the server got there, and the bodies in requests.PATH
requests() {
    python3 -c '
import json, sys
for line in open(sys.argv[1] + "/requests"):
    r = json.loads(line)
    if r["path"] == sys.argv[2]:
        print(r["connection"], r["status"], r["type"], r["test"] or r["auth"], r["body"])
' "$@"
}

lines() {
    [ "$(wc -l <"$1")" -eq "$2" ] || { echo "$1 has $(wc -l <"$1") lines instead of $2" && return 1; }
}

# whole FILE...: every line is an object of ours, none is cut, and the numbers rise.
whole() {
    cat "$@" | python3 -c '
import json, sys
last = -1
for line in sys.stdin:
    assert line.endswith("\n"), line
    n = int(json.loads(line)["output"].split()[1])
    assert n > last, (n, last)
    last = n
'
}

# ---- standard output ----

printf '3|one\ntwo\n' | feed stdout stdout
t_check "stdout: text" [ "$(cat stdout.out)" = $'one\ntwo' ]
printf 'a "b"\n' | feed stdout stdout,format=json
t_check "stdout: json" [ "$(cat stdout.out)" = '{"output":"a \"b\""}' ]
(printf '!many 100000 200\n' | timeout 30 "$FEED" stdout 2>head.err) | head -n 5 >/dev/null
t_check "stdout: a reader that leaves is no reason to wait" counted head put=100000 broken=true "failed>0"

# ---- files ----

printf '!many 1000\n!flush 5000\n' | feed file "file:$SCRATCH/a.json" 'file:b.txt,format=text'
t_check "file: every alert, a line each" lines a.json 1000
t_check "file: whole" whole a.json
t_check "file: text" [ "$(head -n 1 b.txt)" = "alert 0" ]
t_check "file: made with its own permissions" [ "$(stat -c %a a.json)" = 640 ]

{ echo '!many 100' && echo '!flush 5000' && echo '!sleep 500' && echo '!reopen' && echo '!sleep 300' && echo 'after'; } |
    feed reopen "file:log,format=text" &
wait_for 5 test -s log
mv log log.old
wait $!
t_check "file: opened again under its name" [ "$(cat log)" = after ]
t_check "file: what was before is in the old one" lines log.old 100
t_check "file: nothing is lost in between" counted reopen put=101 written=101 restarts=1

printf '!many 5000 100\n' | feed rotate "file:r.json,rotate=100K,keep=3"
t_check "file: rotated" [ "$(ls r.json* | tr '\n' ' ')" = "r.json r.json.1 r.json.2 r.json.3 " ]
t_check "file: rotated files hold whole lines, in order" whole r.json.3 r.json.2 r.json.1 r.json
t_check "file: none is larger than asked for" test -z "$(find . -name 'r.json*' -size +100k)"
t_check "file: rotation loses nothing" counted rotate put=5000 written=5000

printf '{"output":"alert 0"}\n{"outp' >torn.json
printf 'alert 1\n' | feed torn file:torn.json
t_check "file: what follows a torn line is not glued to it" [ "$(tail -n 1 torn.json)" = '{"output":"alert 1"}' ]

(printf '!many 5\n!kill\n' | "$FEED" file:killed.json) >/dev/null 2>&1
t_check "file: after a crash the lines that are there are whole" whole killed.json

full_disk() {
    mkdir full && mount -t tmpfs -o size=64k none full && undo umount -l "$SCRATCH/full"
}
if [ "$(id -u)" -ne 0 ] || ! full_disk 2>/dev/null; then
    t_skip "file: a full disk" "a tmpfs cannot be mounted"
else
    {
        echo '!many 1000 200' && echo '!sleep 1500' && echo '!counters'
        wait_for 10 test -e let-go
        echo '!flush 20000'
    } | feed full file:full/a.json,queue=5000 &
    feeder=$!
    wait_for 10 grep -q '^{' full.err
    cp full/a.json at-full.json
    t_check "file: a full disk is told" counted full "failing=true" "last_error~No space left" "queued>100" "retries>0"
    t_check "file: a full disk holds whole lines only" whole at-full.json
    mount -o remount,size=1m full
    touch let-go
    wait "$feeder"
    t_check "file: everything is written once there is room" counted full put=1000 written=1000 dropped=0 failed=0
    t_check "file: once each, and in order" whole full/a.json
    t_check "file: all of it" lines full/a.json 1000
    truncate -s 0 full/a.json
    mount -o remount,size=64k full
    printf '!many 3000 200\n!sleep 200\n' | feed full2 --finish 300 file:full/b.json,queue=500
    t_check "file: a disk that stays full costs alerts, and they are counted" counted full2 put=3000 "dropped>1000" failing=true
    t_check "file: and leaves whole lines" whole full/b.json
fi

# A frozen file system holds whoever writes, and no signal frees them: like a file server that is gone.
frozen_disk() {
    truncate -s 16M image && mkfs.ext4 -q image && mkdir frozen && mount -o loop image frozen &&
        undo umount -l "$SCRATCH/frozen"
}
both_ended() {
    [ "$(grep -c '^{' frozen.err)" -eq 2 ]
}
if [ "$(id -u)" -ne 0 ] || ! command -v fsfreeze >/dev/null || ! frozen_disk 2>/dev/null; then
    t_skip "file: a disk that hangs" "no file system can be mounted from an image"
else
    {
        wait_for 10 test -e go
        echo '!many 100000'
    } | feed frozen --finish 300 file:frozen/a.json,queue=1000 file:warm.json,queue=200000 &
    feeder=$!
    wait_for 10 test -e frozen/a.json
    undo fsfreeze -u "$SCRATCH/frozen"
    fsfreeze -f frozen
    touch go
    t_check "file: a disk that hangs does not keep us from ending" wait_for 10 both_ended
    t_check "file: a disk that hangs" counted frozen sink=file:frozen put=100000 written=0 dropped=100000
    t_check "file: a disk that hangs holds up no other sink" counted frozen sink=file:warm put=100000 written=100000
    sed -n 's/^put/#   put/p' frozen.err
    fsfreeze -u frozen
    wait "$feeder"
    t_check "file: and what it held up ends later" [ $? -eq 0 ]
fi

mkfifo fifo
exec 9<>fifo
printf '!many 20000 200\n!counters\n' | feed fifo --finish 200 file:fifo,queue=100
exec 9<&-
# a pipe takes up to a mebibyte, that is 5,242 of them
t_check "file: a FIFO that nobody reads is no reason to wait" counted fifo put=20000 "dropped>14000"

# ---- http ----

start_server plain
URL=http://127.0.0.1:$PORT
printf '!many 20\n' | feed http "$URL/ok,header=X-Test: yes"
t_check "http: an alert a request" [ "$(requests plain /ok | wc -l)" -eq 20 ]
t_check "http: over one connection" [ "$(requests plain /ok | cut -d' ' -f1 | sort -u | wc -l)" -eq 1 ]
t_check "http: the alert is the body" [ "$(requests plain /ok | sed -n '$s/^[0-9]* //p')" = \
    '204 application/json yes {"output":"alert 19"}' ]
t_check "http: the account" counted http put=20 written=20 retries=0

printf '!many 3\n!many 10\n' | feed batch "$URL/slow,batch=10"
t_check "http: batches are arrays" python3 -c '
import json, sys
bodies = [json.loads(line.split(" ", 4)[4]) for line in sys.stdin]
assert sum(map(len, bodies)) == 13 and len(bodies) < 8, bodies
' < <(requests plain /slow)
printf 'a\nb\n' | feed text "$URL/ok?text,format=text,header=@$SCRATCH/headers" && false
t_check "http: a file of headers that is not there is an error" grep -q "headers cannot be read" text.err

# One that is there and cannot be loaded is like none.
mkdir broken
for name in libcurl.so.4 libcurl-gnutls.so.4 libcurl-nss.so.4; do
    echo "no library" >"broken/$name"
done
t_check "http: without libcurl the sink is refused" ended_with 2 \
    env LD_LIBRARY_PATH="$SCRATCH/broken" "$SKEP" run --to "$URL/ok"
LD_LIBRARY_PATH="$SCRATCH/broken" feed nocurl "$URL/ok" </dev/null
t_check "http: what is missing is told" grep -q "cannot be loaded: .*libcurl.so.4: file too short" nocurl.err
t_check "http: and what to install" grep -q "hint: install it: package libcurl4" nocurl.err
t_check "http: other sinks do not need it" env LD_LIBRARY_PATH="$SCRATCH/broken" "$FEED" "file:$SCRATCH/nocurl.json" </dev/null

printf 'Authorization: Bearer abc\n' >headers
printf 'a\n' | feed text "$URL/ok?text,format=text,header=@$SCRATCH/headers"
t_check "http: headers from a file, alerts as text" \
    [ "$(requests plain '/ok?text' | cut -d' ' -f2-)" = "204 text/plain; charset=utf-8 Bearer abc a" ]

printf 'x\ny\n' | feed once "$URL/once/500"
t_check "http: 500 is tried again" counted once put=2 written=2 retries=2 failed=0
t_check "http: once" [ "$(requests plain /once/500 | cut -d' ' -f2 | tr '\n' ' ')" = "500 204 500 204 " ]
printf 'x\ny\n' | feed four "$URL/status/404"
t_check "http: 404 is not" counted four put=2 failed=2 retries=0 "last_error~status 404"
printf 'x\n' | feed after "$URL/after"
t_check "http: 429 is, and not before the server says" counted after written=1 retries=1
printf 'x\n' | feed never --finish 10000 "$URL/status/503,retries=2"
t_check "http: not for ever" counted never failed=1 retries=2
t_check "http: so many times" [ "$(requests plain /status/503 | wc -l)" -eq 3 ]
printf 'x\n!flush 20000\n' | feed cut "$URL/cut"
t_check "http: a connection that is cut" counted cut written=1
printf 'x\n' | feed flood "$URL/flood"
t_check "http: an answer without an end" counted flood written=1

printf '!many 100000\n!counters\n' | feed stuck --finish 300 "$URL/stuck,queue=100" file:beside.json,queue=200000
t_check "http: a server that does not answer" counted stuck sink=http put=100000 written=0 dropped=100000
t_check "http: holds nobody up" grep -q '^put 100000:' stuck.err
sed -n 's/^put/#   put/p' stuck.err
t_check "http: nor another sink" counted stuck sink=file put=100000 written=100000
printf 'x\n' | feed timeout --finish 5000 "$URL/stuck,timeout=300ms,retries=1"
t_check "http: a time limit" counted timeout failed=1 retries=1
printf '!many 100000\n' | feed dead --finish 300 "http://127.0.0.1:1/,queue=1000"
t_check "http: no server" counted dead put=100000 written=0 "dropped>99000" "last_error~connect"

# ---- https ----

# certificate NAME CN [EXTENSION]: NAME.pem and NAME.key, by ca
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" &&
        openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
            -extfile <(echo "subjectAltName=IP:127.0.0.1")
}
make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 \
        -subj /CN=test-ca && certificate server 127.0.0.1 && certificate host host
}
if ! command -v openssl >/dev/null; then
    t_skip "https" "no openssl"
elif ! make_certificates >openssl.log 2>&1; then
    t_fail "https" "openssl made no certificates"
    sed 's/^/#   /' openssl.log
else
    start_server tls --tls server.pem server.key --clients ca.pem
    URL=https://127.0.0.1:$PORT/ok
    printf '!many 5\n' | feed tls "$URL,ca=ca.pem,cert=host.pem,key=host.key"
    t_check "https: with the certificate of a client" counted tls put=5 written=5 retries=0
    t_check "https: over one connection" [ "$(requests tls /ok | cut -d' ' -f1 | sort -u | wc -l)" -eq 1 ]
    cat host.pem host.key >both.pem
    printf 'x\n' | feed tls1 "$URL,ca=ca.pem,cert=both.pem"
    t_check "https: certificate and key in one file" counted tls1 written=1
    printf 'x\n' | feed tls2 "$URL,ca=ca.pem,retries=0"
    t_check "https: the server wants one" counted tls2 written=0 failed=1
    printf 'x\n' | feed tls3 "$URL,cert=host.pem,key=host.key,retries=0"
    t_check "https: a server whose certificate nobody vouches for" counted tls3 written=0 failed=1 "last_error~certificate"
    printf 'x\n' | feed tls4 "$URL,insecure,cert=host.pem,key=host.key"
    t_check "https: insecure" counted tls4 written=1
fi

# ---- syslog ----

cat >log.py <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("ready", flush=True)
while True:
    print(s.recv(1 << 20).decode(), flush=True)
END
start_log() {
    rm -f dev-log
    background python3 log.py dev-log >>"$1"
    LOG_PID=$BG
    wait_for 10 test -s "$1"
}
printf 'early\n' | feed nolog --finish 300 "syslog,path=$SCRATCH/dev-log"
t_check "syslog: no daemon is counted" counted nolog put=1 dropped=1 "last_error~No such file" "retries>0"
start_log syslog.1
printf '0|emergency\n7|debug\n' | feed syslog "syslog:authpriv,tag=guard,path=$SCRATCH/dev-log"
wait_for 5 grep -q debug syslog.1
t_check "syslog: facility, severity, time, tag and process" \
    grep -Eq '^<80>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} guard\[[0-9]+\]: emergency$' syslog.1
t_check "syslog: another severity" grep -q '^<87>.* guard.*: debug$' syslog.1
printf 'x\n' | feed syslog "syslog,format=json,path=$SCRATCH/dev-log"
wait_for 5 grep -q output syslog.1
t_check "syslog: daemon and skep by default, and JSON" grep -Eq '^<28>.* skep\[[0-9]+\]: \{"output":"x"\}$' syslog.1
{
    echo first && echo '!flush 5000' && touch restart-now
    wait_for 10 test -e restarted
    echo second && echo '!flush 5000'
} | feed restart "syslog,path=$SCRATCH/dev-log" &
feeder=$!
wait_for 10 test -e restart-now && wait_for 10 grep -q first syslog.1
kill "$LOG_PID"
wait_for 10 ended "$LOG_PID"
start_log syslog.2
touch restarted
wait "$feeder"
t_check "syslog: a daemon that was restarted" grep -q second syslog.2
t_check "syslog: nothing is lost" counted restart put=2 written=2
kill -STOP "$BG"
printf '!many 100000\n' | feed stopped --finish 200 "syslog,path=$SCRATCH/dev-log,queue=100"
kill -CONT "$BG"
t_check "syslog: a stopped daemon is no reason to wait" counted stopped put=100000 "dropped>90000"

# ---- programs ----

printf '!many 1000\n' | feed program 'program:cat >p.json'
t_check "program: gets every alert" lines p.json 1000
t_check "program: whole" whole p.json
printf 'a\nb\n' | feed comma "program:awk -F ',' '{ print \"got \" \$1 }' >awk.out,format=text"
t_check "program: commas in quotes" [ "$(cat awk.out)" = $'got a\ngot b' ]
printf 'x\n' | feed quiet 'program:cat; echo also here'
t_check "program: has our standard output" [ "$(cat quiet.out)" = $'{"output":"x"}\nalso here' ]
printf '!many 100000 200\n!counters\n' | feed deaf --finish 200 'program:echo $$ >deaf.pid; exec sleep 1000,queue=1000'
t_check "program: one that takes nothing is no reason to wait" counted deaf put=100000 "dropped>90000"
sed -n 's/^put/#   put/p' deaf.err
t_check "program: it is ended with us" ended "$(cat deaf.pid)"
printf 'x\n' | feed stubborn --finish 200 "program:trap '' TERM HUP INT; echo \$\$ >stubborn.pid; while :; do sleep 0.1; done"
t_check "program: also when it does not want to" ended "$(cat stubborn.pid)"
{ echo a && echo '!sleep 700' && echo b && echo '!sleep 1500' && echo c && echo '!sleep 500'; } |
    feed dies 'program:"head -n 1 >>dies.out"'
t_check "program: one that dies is started again" [ "$(cat dies.out)" = $'{"output":"a"}\n{"output":"b"}\n{"output":"c"}' ]
t_check "program: that is counted" counted dies written=3 "restarts>1" "last_error~status 0"
printf 'x\n!sleep 2500\n' | feed missing program:/nonexistent/program
t_check "program: one that cannot run is tried with pauses" counted missing "restarts>1" "restarts<10" "last_error~status 127"

# ---- specifications ----

feed wrong 'file:x,rotat=1M' stdout </dev/null
t_check "a wrong specification: exit status 2" [ $? -eq 2 ]
t_check "a wrong specification: where, what and how to cure it" diff - wrong.err <<'END'
--to:1:8: error: the sink 'file' has no option 'rotat'
  file:x,rotat=1M
         ^~~~~~~~
  hint: did you mean 'rotate'?
END

# ---- the page ----

undocumented() {
    "$FEED" --reference | sed -n 's/^- `\([a-z]*\).*/\1/p; s/^## //p' | sort -u | while read -r word; do
        grep -Eq "\`${word}[\`=:]" "$HERE/../../docs/ALERTS.md" || echo "$word"
    done | grep .
}
t_check "the reference has options to look for" [ "$("$FEED" --reference | grep -c '^- `')" -ge 15 ]
t_check "docs/ALERTS.md knows every sink and every option" ended_with 1 undocumented
