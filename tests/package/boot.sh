#!/bin/sh
# Boots the systemd of a Debian in a folder, with namespaces of its own: it sees no process, network or control group but
# those that it makes. Stays in front; all of it ends with this process. For run.sh.
# usage: boot.sh TREE CGROUP     CGROUP is an empty folder of the cgroup2 hierarchy
set -e
tree=$1
echo $$ >"$2/cgroup.procs"
# shellcheck disable=SC2016  # for the inner shell
exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child sh -ec '
  mount --make-rprivate /
  mount --bind "$0" "$0"
  cd "$0"
  mount -t proc proc proc
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs tmpfs tmp
  mount -t tmpfs -o mode=755 tmpfs dev
  for name in null zero full random urandom tty; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
  done
  mkdir dev/pts dev/shm old
  mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ip link set lo up
  pivot_root . old
  umount -l old
  rmdir old
  # Credentials are mounted in one namespace and seen in another.
  mount --make-rshared /
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd' "$tree"
