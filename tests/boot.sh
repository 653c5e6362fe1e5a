# shellcheck shell=bash
# Sourced by the scripts that try a whole system: makes a Debian root and boots it in namespaces of its own, as far from this machine
# as they go. What is booted ends with the script that has booted it, and no later.
#
#   debian SUITE ROOT [BASE]   makes ROOT, with systemd in it; or copies it from BASE, which was made so
#   boot ROOT CONSOLE          boots it; its console is written to the file CONSOLE; fails where it does not come up
#   inside COMMAND…            runs a command in it
#   shut_down                  ends it at once, if it runs
#   is_over                    whether it has ended

outer='' init=''

debian() {
    local suite=$1 root=$2 base=${3-}
    if [[ -n $base ]]; then
        cp -a "$base" "$root"
    else
        mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,procps,sqlite3 "$suite" "$root"
    fi
}

boot() {
    local root=$1 console=$2
    unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child=SIGKILL --propagation private \
        bash -es "$root" >"$console" 2>&1 <<'BOOT' &
root=$1
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
touch "$root/dev/console"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l /.old
mount --make-rshared /
hostname erasured-test
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=console </dev/null
BOOT
    outer=$!
    # The shell has no say in how it ends.
    disown "$outer"
    for _ in {1..600}; do
        init=$(pgrep --parent "$outer" | head -n 1 || true)
        # Degraded is well enough: not everything that a machine has can be had in namespaces.
        if [[ -n $init && $(inside systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]; then
            return
        fi
        if is_over; then break; fi
        sleep 0.1
    done
    cat "$console"
    return 1
}

inside() {
    nsenter --target "$init" --all -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

is_over() {
    ! kill -0 "$outer" 2>/dev/null
}

# The first process of the namespaces takes all the others with it, and is waited for by what made them.
shut_down() {
    [[ -n $outer ]] || return 0
    kill -KILL "${init:-$outer}" 2>/dev/null || true
    for _ in {1..100}; do
        if is_over; then return; fi
        sleep 0.1
    done
}
