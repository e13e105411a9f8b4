//! /proc/PID/{maps,smaps,smaps_rollup,clear_refs}.
//!
//! Mirrors: fs/proc/task_mmu.c, Linux 6.18.
//! Differs: areas are ours, page counts are the host's: its areas are cut finer than ours and are summed up per area of
//! ours. What a page count is unknown for shows zero.
//! Locking: `MmStruct::maps` copies the areas; paths are built without its lock.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::new_decode_dev;

use crate::fs::anon_inodes::path_of;
use crate::fs::d_path::d_path;
use crate::fs::proc::account::host_task;
use crate::fs::proc::base::parse_stripped;
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::Target;
use crate::mm::task_mmu::{MapsEntry, MapsObject};

/// Column of the name.
const NAME_COLUMN: usize = 72;
/// The device that anonymous shared objects are on.
const SHMEM_DEV: u32 = 1;

/// Writes the line of `maps`.
#[doc(alias = "show_map_vma")]
fn show_map(entry: &MapsEntry, out: &mut SeqFile) {
    let (dev, ino, name) = match &entry.what {
        MapsObject::File(file) => {
            let path = path_of(file);
            let common = path.inode().common();
            (common.dev, common.ino, Cow::Owned(d_path(&path)))
        }
        MapsObject::Shared(ino) => (SHMEM_DEV, *ino, name_of(entry)),
        _ => (0, 0, name_of(entry)),
    };
    let line = entry.header(new_decode_dev(dev), ino);
    show_line(&line, &name, out);
}

fn name_of(entry: &MapsEntry) -> Cow<'static, [u8]> {
    Cow::Borrowed(entry.name().unwrap_or("").as_bytes())
}

fn show_line(header: &str, name: &[u8], out: &mut SeqFile) {
    let start = out.len();
    out.put(header.as_bytes());
    if !name.is_empty() {
        out.pad(start, NAME_COLUMN);
        out.put_escaped(name, b"\n");
    }
    out.put(b"\n");
}

pub fn maps(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else { return Ok(()) };
    for entry in mm.maps() {
        show_map(&entry, out);
    }
    Ok(())
}

/// The counts of `smaps`, in their order, in KiB.
static COUNTS: &[&str] = &[
    "Rss",
    "Pss",
    "Pss_Dirty",
    "Shared_Clean",
    "Shared_Dirty",
    "Private_Clean",
    "Private_Dirty",
    "Referenced",
    "Anonymous",
    "KSM",
    "LazyFree",
    "AnonHugePages",
    "ShmemPmdMapped",
    "FilePmdMapped",
    "Shared_Hugetlb",
    "Private_Hugetlb",
    "Swap",
    "SwapPss",
    "Locked",
];
/// `smaps_rollup` adds these behind `Pss_Dirty`.
static ROLLUP_PSS: &[&str] = &["Pss_Anon", "Pss_File", "Pss_Shmem"];

type Counts = [u64; 19];

/// The host's account of one of its areas.
struct HostArea {
    range: Range<u64>,
    counts: Counts,
}

fn parse_range(line: &str) -> Option<Range<u64>> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
}

/// Reads the host's `smaps`.
fn parse_smaps(text: &[u8]) -> Vec<HostArea> {
    let mut areas: Vec<HostArea> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        // Names may be any bytes; numbers stand in front of them.
        let line = &line[..line.len().min(80)];
        let line = line.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        if let Some(range) = parse_range(line) {
            areas.push(HostArea { range, counts: [0; 19] });
        } else if let Some((key, rest)) = line.split_once(':')
            && let Some(index) = COUNTS.iter().position(|&name| name == key)
            && let Some(area) = areas.last_mut()
        {
            let number = rest.split_ascii_whitespace().next();
            area.counts[index] = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        }
    }
    areas
}

/// What the host counts inside `range`; its areas are in order.
fn sum(areas: &[HostArea], range: &Range<u64>) -> Counts {
    let mut counts = [0; 19];
    let first = areas.partition_point(|area| area.range.start < range.start);
    for area in areas[first..].iter().take_while(|area| area.range.start < range.end) {
        for (sum, count) in counts.iter_mut().zip(area.counts) {
            *sum += count;
        }
    }
    counts
}

fn kib(out: &mut SeqFile, name: &str, value: u64) {
    let column = 16 - (name.len() + 1).min(16);
    seq_printf!(out, "{name}:{:column$}{value:>8} kB\n", "");
}

fn show_smap(entry: &MapsEntry, counts: &Counts, out: &mut SeqFile) {
    show_map(entry, out);
    kib(out, "Size", (entry.end - entry.start) >> 10);
    kib(out, "KernelPageSize", 4);
    kib(out, "MMUPageSize", 4);
    for (name, count) in COUNTS.iter().zip(counts) {
        kib(out, name, *count);
    }
    seq_printf!(out, "THPeligible:           0\nVmFlags: {}\n", entry.flag_words());
}

fn host_areas(target: &Target) -> Vec<HostArea> {
    parse_smaps(&host_task(target).read("smaps").unwrap_or_default())
}

pub fn smaps(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else { return Ok(()) };
    let areas = host_areas(target);
    for entry in mm.maps() {
        show_smap(&entry, &sum(&areas, &(entry.start..entry.end)), out);
    }
    Ok(())
}

#[doc(alias = "show_smaps_rollup")]
pub fn smaps_rollup(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else { return Err(Errno::ESRCH.into()) };
    let areas = host_areas(target);
    let entries = mm.maps();
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
    let mut total = [0; 19];
    for entry in &entries {
        for (sum, count) in total.iter_mut().zip(sum(&areas, &(entry.start..entry.end))) {
            *sum += count;
        }
    }
    show_line(&alloc::format!("{:08x}-{:08x} ---p 00000000 00:00 0 ", first.start, last.end), b"[rollup]", out);
    for (name, count) in COUNTS.iter().zip(total) {
        kib(out, name, count);
        if *name == "Pss_Dirty" {
            for name in ROLLUP_PSS {
                kib(out, name, 0);
            }
        }
    }
    Ok(())
}

/// Nothing to forget: the host keeps the reference bits. Only the number is checked.
#[doc(alias = "clear_refs_write")]
pub fn clear_refs(_target: &Target, bytes: &[u8]) -> Result<(), Error> {
    if (1..=5).contains(&parse_stripped(bytes)?) { Ok(()) } else { Err(Errno::EINVAL.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_maps_as_linux_writes_it() {
        let mut out = SeqFile::new();
        show_line("563cf5daa000-563cf5dac000 r-xp 00002000 fe:00 247282 ", b"/usr/bin/he\nad", &mut out);
        show_line("00400000-00401000 ---s 00000000 00:00 0 ", b"", &mut out);
        assert_eq!(
            core::str::from_utf8(&out.into_bytes()).unwrap(),
            "563cf5daa000-563cf5dac000 r-xp 00002000 fe:00 247282                     /usr/bin/he\\012ad\n\
             00400000-00401000 ---s 00000000 00:00 0 \n"
        );
    }

    #[test]
    fn the_hosts_counts_are_summed_per_area() {
        let text = b"1000-2000 rw-p 0 00:00 0 \nSize: 4 kB\nRss:                   3 kB\nPss: 1 kB\n\
            2000-3000 rw-p 0 00:00 0 \xff\nRss: 2 kB\n9000-a000 ---p 0 00:00 0\nRss: 7 kB\n";
        let areas = parse_smaps(text);
        assert_eq!(areas.len(), 3);
        assert_eq!(sum(&areas, &(0x1000..0x3000))[0], 5);
        assert_eq!(sum(&areas, &(0x1000..0x3000))[1], 1);
        assert_eq!(sum(&areas, &(0x3000..0x9000))[0], 0);
    }

    #[test]
    fn counts_are_aligned() {
        let mut out = SeqFile::new();
        kib(&mut out, "Rss", 12);
        kib(&mut out, "KernelPageSize", 4);
        kib(&mut out, "Private_Hugetlb", 0);
        assert_eq!(out.into_bytes(), b"Rss:                  12 kB\nKernelPageSize:        4 kB\nPrivate_Hugetlb:       0 kB\n");
    }
}
