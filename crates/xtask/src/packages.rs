//! The Debian packages that tests use.

use anyhow::{Result, bail};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
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

/// What Debian's packages ask before they start a service: the tests start the servers they need by themselves.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// As long as this exists, packages start no services.
struct NoServices {
    /// Whether the machine had no policy of its own.
    is_ours: bool,
}

impl NoServices {
    fn begin() -> NoServices {
        // Where it cannot be written, services start as they would by hand.
        let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY);
        let policy = NoServices { is_ours: opened.is_ok() };
        let _ = opened.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
        policy
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

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
    let _no_services = NoServices::begin();
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
