//! Files of /proc/sys that are more than one number.
//!
//! Mirrors: kernel/utsname_sysctl.c, drivers/char/random.c (`proc_do_uuid`), ipc/ipc_sysctl.c, Linux 6.18.
//! Locking: leaves.

use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_uapi::errno::{Errno, Error};

use crate::fs::proc::proc_sysctl::parse_numbers;
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::ipc::util::IpcIds;
use crate::{host, kernel};

/// Longest name of the host or domain.
const NAME_LEN: usize = 64;
/// Bits the random generator is said to hold; it never has less.
const RANDOM_BITS: u32 = 256;

/// One file.
pub struct TextSysctl {
    /// Below /proc/sys.
    pub path: &'static str,
    /// Permission bits.
    pub mode: u32,
    pub show: fn(&mut SeqFile) -> Result<(), Error>,
    pub store: Option<fn(&[u8]) -> Result<(), Error>>,
}

const fn fixed(path: &'static str, show: fn(&mut SeqFile) -> Result<(), Error>) -> TextSysctl {
    TextSysctl { path, mode: 0o444, show, store: None }
}

pub static TEXTS: &[TextSysctl] = &[
    TextSysctl { path: "kernel/hostname", mode: 0o644, show: hostname, store: Some(set_hostname) },
    fixed("kernel/domainname", domainname),
    fixed("kernel/ostype", ostype),
    fixed("kernel/osrelease", osrelease),
    fixed("kernel/version", version),
    fixed("kernel/core_pattern", core_pattern),
    TextSysctl { path: "kernel/sem", mode: 0o644, show: sem, store: Some(set_sem) },
    TextSysctl { path: "kernel/shm_rmid_forced", mode: 0o644, show: shm_rmid_forced, store: Some(set_shm_rmid_forced) },
    TextSysctl { path: "kernel/shm_next_id", mode: 0o644, show: shm_next_id, store: Some(set_shm_next_id) },
    TextSysctl { path: "kernel/sem_next_id", mode: 0o644, show: sem_next_id, store: Some(set_sem_next_id) },
    TextSysctl { path: "kernel/msg_next_id", mode: 0o644, show: msg_next_id, store: Some(set_msg_next_id) },
    fixed("kernel/random/boot_id", boot_id),
    fixed("kernel/random/uuid", uuid),
    fixed("kernel/random/entropy_avail", random_bits),
    fixed("kernel/random/poolsize", random_bits),
    fixed("fs/file-nr", file_nr),
    fixed("net/ipv4/ip_local_port_range", ip_local_port_range),
];

fn hostname(out: &mut SeqFile) -> Result<(), Error> {
    out.put(&kernel().hostname.lock());
    out.put(b"\n");
    Ok(())
}

fn set_hostname(bytes: &[u8]) -> Result<(), Error> {
    let end = bytes.iter().position(|byte| b"\n\0".contains(byte)).unwrap_or(bytes.len()).min(NAME_LEN);
    *kernel().hostname.lock() = bytes[..end].to_vec();
    Ok(())
}

fn domainname(out: &mut SeqFile) -> Result<(), Error> {
    show_name(&host::uname().domainname, out)
}

fn show_name(name: &[u8], out: &mut SeqFile) -> Result<(), Error> {
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    out.put(&name[..end]);
    out.put(b"\n");
    Ok(())
}

fn ostype(out: &mut SeqFile) -> Result<(), Error> {
    show_name(&host::uname().sysname, out)
}

fn osrelease(out: &mut SeqFile) -> Result<(), Error> {
    show_name(&host::uname().release, out)
}

fn version(out: &mut SeqFile) -> Result<(), Error> {
    show_name(&host::uname().version, out)
}

fn core_pattern(out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"core\n");
    Ok(())
}

fn sem(out: &mut SeqFile) -> Result<(), Error> {
    let s = &kernel().sysctl;
    seq_printf!(out, "{}\t{}\t{}\t{}\n", s.semmsl.get(), s.semmns.get(), s.semopm.get(), s.semmni.get());
    Ok(())
}

/// As many of the four as are given.
fn set_sem(bytes: &[u8]) -> Result<(), Error> {
    let s = &kernel().sysctl;
    let numbers = parse_numbers(bytes)?;
    if numbers.iter().any(|&number| number > i32::MAX as u64) {
        return Err(Errno::EINVAL.into());
    }
    for (slot, number) in [&s.semmsl, &s.semmns, &s.semopm, &s.semmni].into_iter().zip(numbers) {
        slot.set(number);
    }
    Ok(())
}

fn shm_rmid_forced(out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{}\n", kernel().sysctl.shm_rmid_forced.get());
    Ok(())
}

/// Setting it cleans up at once.
fn set_shm_rmid_forced(bytes: &[u8]) -> Result<(), Error> {
    let Some(&forced) = parse_numbers(bytes)?.first() else { return Ok(()) };
    if forced > 1 {
        return Err(Errno::EINVAL.into());
    }
    kernel().sysctl.shm_rmid_forced.set(forced);
    if forced != 0 {
        crate::ipc::shm::destroy_orphans();
    }
    Ok(())
}

fn show_next_id<T>(ids: &IpcIds<T>, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{}\n", ids.next_id.load(Ordering::Relaxed));
    Ok(())
}

/// Linux asks for a capability whatever the mode says; here the mode asks for root.
fn set_next_id<T>(ids: &IpcIds<T>, bytes: &[u8]) -> Result<(), Error> {
    let Some(&id) = parse_numbers(bytes)?.first() else { return Ok(()) };
    ids.next_id.store(i32::try_from(id).map_err(|_| Errno::EINVAL)?, Ordering::Relaxed);
    Ok(())
}

fn shm_next_id(out: &mut SeqFile) -> Result<(), Error> {
    show_next_id(&kernel().ipc.shm, out)
}

fn sem_next_id(out: &mut SeqFile) -> Result<(), Error> {
    show_next_id(&kernel().ipc.sem, out)
}

fn set_sem_next_id(bytes: &[u8]) -> Result<(), Error> {
    set_next_id(&kernel().ipc.sem, bytes)
}

fn msg_next_id(out: &mut SeqFile) -> Result<(), Error> {
    show_next_id(&kernel().ipc.msg, out)
}

fn set_msg_next_id(bytes: &[u8]) -> Result<(), Error> {
    set_next_id(&kernel().ipc.msg, bytes)
}

fn set_shm_next_id(bytes: &[u8]) -> Result<(), Error> {
    set_next_id(&kernel().ipc.shm, bytes)
}

/// Random bytes as a version-4 identifier.
fn show_uuid(mut bytes: [u8; 16], out: &mut SeqFile) {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    for (index, byte) in bytes.iter().enumerate() {
        let dash = if [4, 6, 8, 10].contains(&index) { "-" } else { "" };
        seq_printf!(out, "{dash}{byte:02x}");
    }
    out.put(b"\n");
}

fn uuid(out: &mut SeqFile) -> Result<(), Error> {
    let mut bytes = [0; 16];
    platform().random(&mut bytes);
    show_uuid(bytes, out);
    Ok(())
}

/// One for the life of the world.
fn boot_id(out: &mut SeqFile) -> Result<(), Error> {
    let mut slot = kernel().boot_id.lock();
    let bytes = *slot.get_or_insert_with(|| {
        let mut bytes = [0; 16];
        platform().random(&mut bytes);
        bytes
    });
    drop(slot);
    show_uuid(bytes, out);
    Ok(())
}

fn random_bits(out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{RANDOM_BITS}\n");
    Ok(())
}

fn file_nr(out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{}\t0\t{}\n", crate::fs::file::nr_files(), kernel().sysctl.file_max.get());
    Ok(())
}

fn ip_local_port_range(out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"32768\t60999\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_say_their_version() {
        let mut out = SeqFile::new();
        show_uuid([0xff; 16], &mut out);
        assert_eq!(out.into_bytes(), b"ffffffff-ffff-4fff-bfff-ffffffffffff\n");
    }
}
