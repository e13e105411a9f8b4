//! The Debian packages that tests use.

use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// Package, and a file that says it is there.
const PACKAGES: &[(&str, &str)] = &[
    ("gcc", "/usr/bin/gcc"),
    ("libc6-dev", "/usr/include/stdio.h"),
    ("make", "/usr/bin/make"),
    ("git", "/usr/bin/git"),
    ("perl", "/usr/bin/perl"),
    ("python3.11", "/usr/bin/python3.11"),
    ("python3-pexpect", "/usr/lib/python3/dist-packages/pexpect/__init__.py"),
    ("libpython3.11-testsuite", "/usr/lib/python3.11/test/test_epoll.py"),
    ("musl-tools", "/usr/bin/musl-gcc"),
    ("xz-utils", "/usr/bin/xz"),
    ("util-linux", "/usr/bin/setsid"),
    ("gdb", "/usr/bin/gdb"),
    ("sqlite3", "/usr/bin/sqlite3"),
    ("stress-ng", "/usr/bin/stress-ng"),
    ("gosu", "/usr/sbin/gosu"),
    ("fzf", "/usr/bin/fzf"),
    ("redis-server", "/usr/bin/redis-server"),
    ("redis-tools", "/usr/bin/redis-benchmark"),
    ("socat", "/usr/bin/socat"),
    ("dbus-daemon", "/usr/bin/dbus-daemon"),
    ("dbus-bin", "/usr/bin/dbus-send"),
    ("libglib2.0-bin", "/usr/bin/gdbus"),
    ("tmux", "/usr/bin/tmux"),
    ("openssh-client", "/usr/bin/ssh-agent"),
    ("nodejs", "/usr/bin/node"),
    ("memcached", "/usr/bin/memcached"),
    ("nginx-light", "/usr/sbin/nginx"),
    ("haproxy", "/usr/sbin/haproxy"),
    ("beanstalkd", "/usr/bin/beanstalkd"),
    ("mosquitto", "/usr/sbin/mosquitto"),
    ("mosquitto-clients", "/usr/bin/mosquitto_sub"),
    ("curl", "/usr/bin/curl"),
    ("postgresql-15", "/usr/lib/postgresql/15/bin/initdb"),
];

/// Installs what is missing, or says what to install.
pub fn ensure() -> Result<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(_, file)| !std::path::Path::new(file).exists()).map(|&(name, _)| name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let hint = format!("apt-get install {}", missing.join(" "));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if !is_root {
        bail!("the tests need packages that are not installed; as root: {hint}");
    }
    println!("installing: {}", missing.join(" "));
    let apt = |args: &[&str]| {
        let status = Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-qq", "-y", "-o", "Dpkg::Use-Pty=0"])
            // Mirrors fail for a moment, and a new machine updates itself.
            .args(["-o", "Acquire::Retries=5", "-o", "DPkg::Lock::Timeout=600"])
            .args(args)
            .stdout(Stdio::null())
            .status();
        status.is_ok_and(|s| s.success())
    };
    if !(apt(&["update"]) && apt(&[&["install", "--no-install-recommends"], &missing[..]].concat())) {
        bail!("apt-get failed; the packages are those of Debian 12; try by hand: {hint}");
    }
    Ok(())
}
