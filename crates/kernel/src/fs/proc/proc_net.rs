//! /proc/PID/net.
//!
//! Mirrors: fs/proc/proc_net.c and the `*_seq_show` functions of net/, Linux 6.18.
//! Differs: one network per world. A protocol that shows its sockets replaces the function of its row.

use acrida_uapi::errno::Error;

use crate::fs::proc::inode::ProcRef;
use crate::fs::proc::seq_file::SeqFile;
use crate::fs::proc::subject::Subject;
use crate::fs::proc::table_dir::{TableDir, TableRow};

const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const TCP6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue \
    tr tm->when retrnsmt   uid  timeout inode";
const UDP: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref \
    pointer drops";

/// A line filled up with blanks to `width`.
fn line(out: &mut SeqFile, text: &str, width: usize) {
    let start = out.len();
    out.put(text.as_bytes());
    if width > text.len() {
        out.pad(start, width - 1);
    }
    out.put(b"\n");
}

fn tcp(out: &mut SeqFile) -> Result<(), Error> {
    line(out, TCP, 149);
    Ok(())
}

fn tcp6(out: &mut SeqFile) -> Result<(), Error> {
    line(out, TCP6, 0);
    Ok(())
}

fn udp(out: &mut SeqFile) -> Result<(), Error> {
    line(out, UDP, 127);
    Ok(())
}

fn raw(out: &mut SeqFile) -> Result<(), Error> {
    line(out, &UDP[1..], 0);
    Ok(())
}

fn udp6(out: &mut SeqFile) -> Result<(), Error> {
    line(out, &alloc::format!("{TCP6} ref pointer drops"), 0);
    Ok(())
}

fn unix(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "Num       RefCount Protocol Flags    Type St Inode Path", 0);
    out.put(crate::net::unix::show().as_bytes());
    Ok(())
}

/// A machine whose only interface is the loopback.
fn dev(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "Inter-|   Receive                                                |  Transmit", 0);
    line(
        out,
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls \
        carrier compressed",
        0,
    );
    line(
        out,
        "    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       \
        0          0",
        0,
    );
    Ok(())
}

fn route(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT", 127);
    Ok(())
}

fn arp(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "IP address       HW type     Flags       HW address            Mask     Device", 0);
    Ok(())
}

fn if_inet6(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "00000000000000000000000000000001 01 80 10 80       lo", 0);
    Ok(())
}

fn netlink(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode", 0);
    Ok(())
}

fn packet(out: &mut SeqFile) -> Result<(), Error> {
    line(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode", 0);
    Ok(())
}

fn sockstat(out: &mut SeqFile) -> Result<(), Error> {
    out.put(
        b"sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\n\
        FRAG: inuse 0 memory 0\n",
    );
    Ok(())
}

fn sockstat6(out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n");
    Ok(())
}

fn nothing(_out: &mut SeqFile) -> Result<(), Error> {
    Ok(())
}

static ROWS: &[TableRow] = &[
    TableRow::new("arp", arp),
    TableRow::new("dev", dev),
    TableRow::new("dev_mcast", nothing),
    TableRow::new("if_inet6", if_inet6),
    TableRow::new("ipv6_route", nothing),
    TableRow::new("netlink", netlink),
    TableRow::new("packet", packet),
    TableRow::new("raw", raw),
    TableRow::new("raw6", udp6),
    TableRow::new("route", route),
    TableRow::new("sockstat", sockstat),
    TableRow::new("sockstat6", sockstat6),
    TableRow::new("tcp", tcp),
    TableRow::new("tcp6", tcp6),
    TableRow::new("udp", udp),
    TableRow::new("udp6", udp6),
    TableRow::new("udplite", udp),
    TableRow::new("udplite6", udp6),
    TableRow::new("unix", unix),
];

/// /proc/PID/net.
pub fn make(subject: Subject, row: usize, dev: u32) -> ProcRef {
    let ino = subject.ino(row, 0);
    TableDir { rows: ROWS, ino }.make(dev)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_as_wide_as_linux_makes_them() {
        for (show, width) in [(tcp as fn(&mut SeqFile) -> _, 150), (udp, 128), (route, 128)] {
            let mut out = SeqFile::new();
            show(&mut out).unwrap();
            assert_eq!(out.len(), width);
        }
    }
}
