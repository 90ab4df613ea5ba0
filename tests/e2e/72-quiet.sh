#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# The default rules are quiet on a host that only does its work: idle, installing a package, compiling, with people
# who log in by ssh, jobs of cron, web servers under load, accounts that are managed, and containers that come and
# go.
# No alert is allowed, of any priority.
. "${0%/*}/lib.sh"
. "${0%/*}/container.sh"
. "${0%/*}/rules.sh"
rules_prepare
file=$HERE/../../rules/default.yaml

# quiet NAME COMMAND...: runs it under the default rules; it must succeed, and no rule may mind it.
quiet() {
    local name=$1
    shift
    rules_start run "$file" || { t_fail "$name" "skep does not start"; return; }
    t_check "$name: is done" "$@"
    stop_skep
    t_check "$name: quiet" rules_quiet "$SCRATCH/run.out" -
}

# busy: how many percent of the processors' time were used in the last two seconds
busy() {
    local before after
    before=$(head -n 1 /proc/stat)
    sleep 2
    after=$(head -n 1 /proc/stat)
    # of the times, the fourth and fifth are those of doing nothing
    awk '{ for (i = 2; i <= 9; i++) { n = (NR == 1 ? -1 : 1) * $i; all += n; if (i == 5 || i == 6) idle += n } }
         END { printf "%d\n", all ? 100 * (all - idle) / all : 0 }' <<<"$before
$after"
}

# Everything that the host does counts here, so it has to be idle.
now_busy=$(busy)
if [ "$now_busy" -lt 20 ]; then
    rules_start run "$file" && sleep 10
    stop_skep
    t_check "an idle host: quiet" python3 "$RULES/check.py" quiet "$SCRATCH/run.out" 1 -
else
    t_skip "an idle host" "this one is not idle: $now_busy % of its processors' time are used"
fi

# A package that does what packages do: a program with the set-user-ID bit, a job, a unit, a user, capabilities.
make_package() {
    local dir=$SCRATCH/package
    mkdir -p "$dir"/{DEBIAN,usr/bin,etc/{cron.d,profile.d,sudoers.d,init.d,pam.d}} \
        "$dir"/lib/{systemd/system,udev/rules.d} || return 1
    cp /bin/true "$dir/usr/bin/skep-test-program" && chmod 4755 "$dir/usr/bin/skep-test-program"
    echo '# nothing' | tee "$dir"/etc/{cron.d,profile.d/skep-test.sh,sudoers.d,init.d,pam.d}/skep-test >/dev/null 2>&1
    echo '[Unit]' >"$dir/lib/systemd/system/skep-test.service"
    echo '# nothing' >"$dir/lib/udev/rules.d/99-skep-test.rules"
    printf '%s\n' "Package: skep-test" "Version: 1" "Architecture: all" "Maintainer: nobody <nobody@example.net>" \
        "Description: test" >"$dir/DEBIAN/control"
    cat >"$dir/DEBIAN/postinst" <<'SH'
#!/bin/sh
set -e
useradd --system --no-create-home skep-test
chmod u+s /usr/bin/skep-test-program
echo "# nothing" >/etc/cron.daily/skep-test
mkdir -p /etc/systemd/system
ln -sf /lib/systemd/system/skep-test.service /etc/systemd/system/skep-test.service
echo "# nothing" >>/etc/profile
: >/var/log/user.log
getent shadow root >/dev/null || :
SH
    chmod 0755 "$dir/DEBIAN/postinst"
    dpkg-deb --root-owner-group --build "$dir" "$SCRATCH/skep-test.deb"
}
if command -v apt-get >/dev/null; then
    t_check "a package is made" make_package
    quiet "apt-get install" \
        private /etc,/usr,/var,/lib apt-get install --yes --no-install-recommends "$SCRATCH/skep-test.deb"
    quiet "dpkg in a root of its own" dpkg --root="$SCRATCH/root" --force-not-root --force-script-chrootless \
        --log=/dev/null --unpack "$SCRATCH/skep-test.deb"
else
    t_skip "apt-get install" "no apt-get"
fi

compile() {
    local i
    mkdir -p "$SCRATCH/project" && cd "$SCRATCH/project" || return 1
    for i in 1 2 3 4; do
        echo "int f$i(void) { return $i; }" >"f$i.c"
    done
    printf 'int f1(void);\nint main(void) { return f1() - 1; }\n' >main.c
    printf '%s\n' 'program: main.o f1.o f2.o f3.o f4.o' $'\tcc -o $@ $^' '%.o: %.c' $'\tcc -O2 -g -c -o $@ $<' \
        'check: program' $'\t./program' $'\ttouch -r program stamp' >Makefile
    make -j2 check && cc -static -O2 -D_GNU_SOURCE -o act "$RULES/act.c" && ar rc lib.a f*.o && cp act program &&
        strip program
}
command -v make >/dev/null && quiet "a compile" compile || t_skip "a compile" "no make"

log_in() {
    local dir=$SCRATCH/ssh
    mkdir -p "$dir" /run/sshd && cd "$dir" || return 1
    ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f user &&
        cp user.pub authorized || return 1
    printf '%s\n' "HostKey $dir/host" "AuthorizedKeysFile $dir/authorized" "StrictModes no" "PermitRootLogin yes" \
        "PidFile none" "ListenAddress 127.0.0.1:2222" "Subsystem sftp internal-sftp" "UsePAM yes" >config
    "$(command -v sshd)" -D -e -f "$dir/config" 2>"$dir/log" &
    sshd=$!
    local client=(-F none -i "$dir/user" -o UserKnownHostsFile="$dir/known" -o StrictHostKeyChecking=no
        -o BatchMode=yes)
    until ssh "${client[@]}" -p 2222 root@127.0.0.1 id; do
        [ $((tries += 1)) -lt 20 ] || break
        sleep 0.2
    done
    printf 'cat /etc/hostname\nexit\n' | ssh "${client[@]}" -tt -p 2222 root@127.0.0.1 &&
        echo 'uname -a' | ssh "${client[@]}" -p 2222 root@127.0.0.1 &&
        scp -q "${client[@]}" -P 2222 root@127.0.0.1:/etc/hostname "$dir/copied"
    status=$?
    kill "$sshd"
    wait "$sshd"
    [ $status -eq 0 ] || cat "$dir/log"
    return $status
}
if command -v sshd >/dev/null && command -v ssh >/dev/null; then
    export -f log_in
    export SCRATCH
    quiet "a session over ssh" own_net private_run log_in
else
    t_skip "a session over ssh" "no sshd or ssh"
fi

jobs_of_cron() {
    echo "* * * * * echo done >$SCRATCH/cron-ran" >"$SCRATCH/crontab" && crontab "$SCRATCH/crontab" || return 1
    "$(command -v cron)" -f &
    cron=$!
    for _ in $(seq 70); do
        sleep 1
        [ ! -e "$SCRATCH/cron-ran" ] || break
    done
    kill "$cron"
    wait "$cron"
    cat "$SCRATCH/cron-ran"
}
if command -v cron >/dev/null && command -v crontab >/dev/null; then
    export -f jobs_of_cron
    quiet "a job of cron" private_run jobs_of_cron
else
    t_skip "a job of cron" "no cron"
fi

accounts() {
    useradd --create-home --shell /bin/bash skep-test && echo 'skep-test:a password' | chpasswd &&
        usermod --append --groups tty skep-test && su - skep-test -c 'id; ls -la; crontab -l; true' &&
        passwd --lock skep-test && chage --list skep-test && userdel --remove skep-test
}
export -f accounts
quiet "accounts that are managed" private_run accounts

serve() {
    local port=$((20000 + $$ % 10000)) status
    mkdir -p "$SCRATCH/www" && cd "$SCRATCH/www" && head -c 20000 /dev/urandom >file || return 1
    python3 -m http.server --bind 127.0.0.1 "$port" >/dev/null 2>&1 &
    server=$!
    wait_for 10 curl -sf -o /dev/null "http://127.0.0.1:$port/" &&
        curl -sf -o /dev/null "http://127.0.0.1:$port/file?[1-500]"
    status=$?
    kill "$server"
    wait "$server"
    [ -z "$BUSYBOX" ] || {
        "$BUSYBOX" httpd -f -p "127.0.0.1:$port" -h "$SCRATCH/www" &
        server=$!
        wait_for 10 curl -sf -o /dev/null "http://127.0.0.1:$port/file" &&
            curl -sf -o /dev/null "http://127.0.0.1:$port/file?[1-500]" || status=1
        kill "$server"
        wait "$server"
    }
    return $status
}
command -v curl >/dev/null && quiet "web servers under load" serve || t_skip "web servers under load" "no curl"

runc_works() {
    runc_run "skep-quiet-$$" /bin/sh -c 'for i in 1 2 3; do ls / >/dev/null; cat /etc/hostname; done; echo >/tmp/file'
    runc_start "skep-quiet2-$$" /bin/sleep 3600 && runc exec "skep-quiet2-$$" /bin/ls / &&
        runc delete --force "skep-quiet2-$$"
}
if reason=$(container_lacks runc); then
    quiet "runc run, exec and delete" runc_works
else
    t_skip "runc run" "$reason"
fi

podman_works() {
    podman_run "skep-quiet-$$" /bin/sh -c 'ls / && id' && podman_start "skep-quiet2-$$" /bin/sleep 3600 &&
        podman_cmd exec "skep-quiet2-$$" /bin/ls / && podman_cmd ps && podman_cmd rm --force --time 0 "skep-quiet2-$$"
}
if reason=$(container_lacks podman runc conmon); then
    quiet "podman run, exec and rm" podman_works
else
    t_skip "podman run" "$reason"
fi
