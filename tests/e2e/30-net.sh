#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sockets: every call, native and 32-bit, the life of TCP connections, DNS; who is behind each of them. All
# traffic stays on the loopback device, or in network namespaces of its own.
. "${0%/*}/lib.sh"

need_root
need_command python3 unshare
act="python3 $HERE/net.py"
kinds=socket,bind,listen,accept,connect,send,recv,tcp,dns,dup
seen() {
    json_has "$out" "$1"
}
# times N EXPRESSION: exactly so often
times() {
    local n
    n=$(json_count "$out" "$2")
    [ "$n" -eq "$1" ] && return 0
    echo "$n times instead of $1"
    grep "\"kind\":\"${3:-tcp}\"" "$out" | sed 's/"proc":.*//'
    return 1
}
# watch NAME COMMAND...: the events of a command, in $out, and what the command said, in $said
watch() {
    local name=$1
    shift
    out=$SCRATCH/$name.json said=$SCRATCH/$name.said
    t_check "$name: runs" "$SKEP" watch "$kinds" --json --output "$out" -- sh -c 'exec "$@" >"$0"' "$said" "$@"
}

# ---- TCP, over IPv4, IPv6 and IPv4 in IPv6 ----

watch tcp $act tcp
while read -r _ address parent child port lport; do
    ip=${address#::ffff:}
    family=inet6
    [ "$address" = 127.0.0.1 ] && family=inet
    client="e.local.port == $port and e.remote.port == $lport and e.local.ip == e.remote.ip == '$ip'"
    server="e.local.port == $lport and e.remote.port == $port and e.local.ip == e.remote.ip == '$ip'"
    t_check "$address: the bound port is known" seen "e.kind == 'bind' and e.ret == 0 and e.local.port == $lport and e.family == '$family'"
    t_check "$address: listen" seen "e.kind == 'listen' and e.local.port == $lport and e.backlog == 7 and e.proc.pid == $parent"
    t_check "$address: connect" seen "e.kind == 'connect' and e.ret == 0 and e.proto == 'tcp' and e.type == 'stream' and e.proc.pid == $parent and $client"
    t_check "$address: accept" seen "e.kind == 'accept' and e.ret == e.fd and e.proc.pid == $child and $server"
    t_check "$address: opened once" times 1 "e.kind == 'tcp' and e.action == 'open' and e.direction == 'out' and e.proc.pid == $parent and e.remote.port == $lport"
    t_check "$address: established on both sides" times 2 "e.kind == 'tcp' and e.action == 'established' and (($client and e.direction == 'out') or ($server and e.direction == 'in')) and e.proc.pid == $parent"
    t_check "$address: closed by the client, once" times 1 "e.kind == 'tcp' and e.action == 'close' and $client and e.proc.pid == $parent and e.bytes_sent == 50 and e.bytes_received == 1000 and e.duration > 0"
    t_check "$address: closed by the process that accepted, once" times 1 "e.kind == 'tcp' and e.action == 'close' and $server and e.proc.pid == $child and e.bytes_sent == 1000 and e.bytes_received == 50"
    t_check "$address: one cookie for each side" python3 - "$out" "$port" <<'P'
import json, sys
lines = [json.loads(x) for x in open(sys.argv[1])]
port = int(sys.argv[2])
of = lambda side: {e["cookie"] for e in lines if e["kind"] == "tcp" and e[side]["port"] == port}
assert len(of("local")) == len(of("remote")) == 1 and of("local") != of("remote"), (of("local"), of("remote"))
P
done <"$said"

# ---- calls that fail ----

watch failures $act failures
t_check "refused: the address is there" seen "e.kind == 'connect' and e.error == 'ECONNREFUSED' and e.remote.ip == '127.0.0.1' and e.remote.port == 1"
t_check "in progress: the address is there" seen "e.kind == 'connect' and e.error == 'EINPROGRESS' and e.remote.port == 1 and e.local.port > 0"
t_check "refused: TCP says so too" times 2 "e.kind == 'tcp' and e.action == 'close' and e.reason == 'ECONNREFUSED' and e.remote.port == 1 and e.bytes_sent == 0"
t_check "an address in use" seen "e.kind == 'bind' and e.error == 'EADDRINUSE' and e.local.port == 7071"
t_check "a family that is not there" seen "e.kind == 'socket' and e.error == 'EAFNOSUPPORT'"
t_check "a unix socket that is not there" seen "e.kind == 'connect' and e.error == 'ENOENT' and e.path == '/nonexistent/socket' and e.family == 'unix'"
t_check "an abstract name that nobody has" seen "e.kind == 'connect' and e.error == 'ECONNREFUSED' and e.path == '@nobody-there'"
t_check "not a socket" seen "e.kind == 'connect' and e.error == 'ENOTSOCK' and e.family == None and e.remote.port == 9"
t_check "not a descriptor" seen "e.kind == 'connect' and e.error == 'EBADF' and e.fd == -1"
t_check "an address that cannot be read" seen "e.kind == 'connect' and e.error == 'EFAULT' and e.proto == 'udp' and e.remote == None"
t_check "an address that is too long" seen "e.kind == 'connect' and e.error == 'EINVAL' and e.remote == None"
t_check "nobody to accept is no event" times 0 "e.kind == 'accept'" accept

# ---- datagrams ----

watch udp $act udp
for ip in 127.0.0.1 ::1; do
    for call in sendto sendmsg; do
        t_check "$ip: $call" seen "e.kind == 'send' and e.syscall == '$call' and e.remote.ip == '$ip' and e.remote.port > 0 and e.local.port > 0 and e.size == e.ret and e.proto == 'udp'"
    done
    for call in recvfrom recvmsg; do
        t_check "$ip: $call" seen "e.kind == 'recv' and e.syscall == '$call' and e.remote.ip == '$ip' and e.local.ip == '$ip' and e.remote.port > 0 and e.size == e.ret"
    done
done
t_check "sendmmsg" seen "e.kind == 'send' and e.syscall == 'sendmmsg' and e.ret == 3 and e.size == 6 and e.remote.ip == '127.0.0.1'"
t_check "sendmmsg that names only its second peer" seen "e.kind == 'send' and e.syscall == 'sendmmsg' and e.ret == 2 and e.size == 9 and e.remote.ip == '127.0.0.1' and e.remote.port > 0"
t_check "recvmmsg" seen "e.kind == 'recv' and e.syscall == 'recvmmsg' and e.ret == 3 and e.size == 6 and e.remote.ip == '127.0.0.1'"
t_check "calls that name nobody are no events" times 0 "e.kind in ('send', 'recv') and e.size == 12" send

# ---- unix sockets ----

watch unix $act unix
for kind in bind listen connect accept; do
    t_check "$kind: the path of a unix socket, in full" seen "e.kind == '$kind' and e.path == '$SCRATCH/relative.sock' and e.family == 'unix'"
    t_check "$kind: an abstract name" seen "e.kind == '$kind' and e.path == '@skep-abstract'"
done
t_check "a datagram to a path" seen "e.kind == 'send' and e.path == 'datagram.sock' and e.size == 2 and e.type == 'dgram'"
t_check "a datagram from an abstract name" seen "e.kind == 'recv' and e.path == '@skep-sender'"
t_check "netlink" seen "e.kind == 'bind' and e.family == 'netlink' and e.local == None"

# ---- 32-bit programs ----

$act compat >compat.said 2>&1
if [ $? -ne 139 ]; then # int 0x80 was known
    watch compat $act compat
    t_check "socketcall: socket" seen "e.kind == 'socket' and e.syscall == 'socketcall' and e.type == 'stream'"
    t_check "socketcall: bind" seen "e.kind == 'bind' and e.syscall == 'socketcall' and e.local.ip == '127.0.0.1' and e.local.port > 0"
    t_check "socketcall: listen" seen "e.kind == 'listen' and e.syscall == 'socketcall' and e.backlog == 5"
    t_check "socketcall: connect" seen "e.kind == 'connect' and e.syscall == 'socketcall' and e.ret == 0 and e.remote.port > 0"
    t_check "socketcall: accept" seen "e.kind == 'accept' and e.syscall == 'socketcall' and e.remote.port > 0"
    t_check "socketcall: sendto" seen "e.kind == 'send' and e.syscall == 'socketcall' and e.size == 10 and e.remote.ip == '127.0.0.1'"
    t_check "socketcall: recvfrom" seen "e.kind == 'recv' and e.syscall == 'socketcall' and e.size == 10 and e.remote.ip == '127.0.0.1'"
    t_check "socketcall: sendmsg" seen "e.kind == 'send' and e.syscall == 'socketcall' and e.size == 7 and e.remote.port > 0"
    t_check "32-bit sendmmsg" seen "e.kind == 'send' and e.syscall == 'sendmmsg' and e.ret == 2 and e.size == 14 and e.remote.port > 0"
    t_check "32-bit connect" seen "e.kind == 'connect' and e.syscall == 'connect' and e.remote.ip == '::1' and e.remote.port == 4321"
else
    t_skip "32-bit programs" "this kernel does not run them"
fi

# ---- a connection as standard input ----

watch stdin $act stdin
read -r _ port lport <"$said"
t_check "dup of a socket: its addresses" seen "e.kind == 'dup' and e.newfd == 0 and e.fd.kind == 'socket' and e.proto == 'tcp' and e.local.port == $lport and e.remote.port == $port and e.remote.ip == '127.0.0.1'"

# ---- DNS: once out and once in, with the process that asks, whichever call it uses ----

watch dns unshare -n $act dns
read -r _ client _ <"$said"
for name in connected write many more unconnected ip-options six options; do
    server=127.0.0.1
    case $name in six | options) server=::1 ;; esac
    t_check "dns: $name, asked once" times 1 "e.kind == 'dns' and e.question == '$name.example' and e.direction == 'out' and e.qtype == 'A' and e.proc.pid == $client and e.server.ip == '$server' and e.server.port == 53 and e.local.port != 53" dns
    t_check "dns: $name, answered once" times 1 "e.kind == 'dns' and e.question == '$name.example' and e.direction == 'in' and e.answers == ['192.0.2.7'] and e.rcode == 'NOERROR' and e.proc.pid == $client and e.server.port == 53" dns
done
t_check "dns: a long answer is cut and says so" seen "e.question == 'long.example' and e.direction == 'in' and e.truncated and e.size == 3046 and e.answers == ['192.0.2.7']"
t_check "dns: other ports are no DNS" times 0 "e.question == 'elsewhere.example'" dns
t_check "dns: multicast" times 2 "e.question == 'printer.local' and e.local.ip == '127.0.0.1' and e.server.ip == '127.0.0.2' and e.server.port == 5353" dns

# ---- DNS over TCP: what lies in the segment that it begins in, however the stream is cut ----

watch dns_tcp unshare -n $act dns_tcp
read -r _ client _ <"$said"
for name in tcp first second third length behind halves six-tcp; do
    server=127.0.0.1
    case $name in six*) server=::1 ;; esac
    is="e.kind == 'dns' and e.proto == 'tcp' and e.question == '$name.example' and e.proc.pid == $client and \
e.server.ip == '$server' and e.server.port == 53 and e.local.port not in (0, 53) and not e.truncated"
    t_check "dns over TCP: $name, asked once" times 1 "$is and e.direction == 'out' and e.qtype == 'A'" dns
    t_check "dns over TCP: $name, answered once" times 1 "$is and e.direction == 'in' and e.answers == ['192.0.2.7'] and e.rcode == 'NOERROR'" dns
done
t_check "dns over TCP: a length cut in two" times 1 "e.question == 'cut.example' and e.direction == 'out' and not e.truncated" dns
t_check "dns over TCP: a question cut in two" times 1 "e.proto == 'tcp' and e.direction == 'out' and e.question == None and e.truncated and e.size == 29" dns
t_check "dns over TCP: an answer in parts is read as far as its first" times 1 "e.question == 'split.example' and e.direction == 'in' and e.truncated and not e.answers" dns
t_check "dns over TCP: a long answer is cut and says so" times 1 "e.question == 'long.example' and e.direction == 'in' and e.truncated and e.size == 3046 and e.answers == ['192.0.2.7']" dns
t_check "dns over TCP: other ports are no DNS" times 0 "e.question == 'elsewhere.example'" dns

# ---- sockets that are older than skep ----

mkfifo go
background unshare -n $act old go >old.said
wait_for 20 grep -q '^old' old.said
read -r _ old port client <old.said
out=$SCRATCH/old.json
if start_skep old watch tcp,accept,dns --json --output "$out"; then
    echo go >go
    wait_for 20 grep -q '^done' old.said
    wait_json 10 "$out" "e.kind == 'tcp' and e.action == 'close' and e.remote.port == $port and e.proc.pid == $old"
    stop_skep
    t_check "old sockets: both ends close, and their process is known" times 2 "e.kind == 'tcp' and e.action == 'close' and e.proc.pid == $old and $client in (e.local.port, e.remote.port)"
    t_check "old sockets: what comes in belongs to the listener" seen "e.kind == 'tcp' and e.action == 'established' and e.direction == 'in' and e.local.port == $port and e.proc.pid == $old"
    t_check "old sockets: an answer finds who asked" seen "e.kind == 'dns' and e.direction == 'in' and e.question == 'old.example' and e.proc.pid == $old"
else
    t_fail "old sockets" "skep did not start"
fi
