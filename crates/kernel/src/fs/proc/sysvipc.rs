//! /proc/sysvipc: headings; the rows are ipc's.
//!
//! Mirrors: ipc/util.c (`sysvipc_proc_show`), Linux 6.18.

use acrida_uapi::errno::Error;

use crate::fs::proc::inode::ProcRef;
use crate::fs::proc::seq_file::SeqFile;
use crate::fs::proc::table_dir::{TableDir, TableRow};

/// Below the numbers of the root's entries.
const INO: u64 = 0x800;

fn msg(out: &mut SeqFile) -> Result<(), Error> {
    out.put(
        b"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      \
        ctime\n",
    );
    crate::ipc::msg::show(out);
    Ok(())
}

fn sem(out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    crate::ipc::sem::show(out);
    Ok(())
}

fn shm(out: &mut SeqFile) -> Result<(), Error> {
    out.put(
        b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      \
        dtime      ctime                   rss                  swap\n",
    );
    crate::ipc::shm::show(out);
    Ok(())
}

static ROWS: &[TableRow] = &[TableRow::new("msg", msg), TableRow::new("sem", sem), TableRow::new("shm", shm)];

pub fn make(dev: u32) -> ProcRef {
    TableDir { rows: ROWS, ino: INO }.make(dev)
}
