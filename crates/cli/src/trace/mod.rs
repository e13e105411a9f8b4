//! `acrida run --trace`: reads the world's trace ring while it runs, and writes lines.

mod decode;
mod filter;
mod line;

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use acrida_trace_format::ring::{CAPACITY, HEADER_OFFSET, Header, MAGIC, RECORD_SIZE, Record, VERSION};
use anyhow::{Context, Result, ensure};
use zerocopy::FromBytes;

pub use decode::signal as signal_name;
pub use filter::Filter;

/// Records read from the ring at once.
const BATCH: u64 = 256;
/// After this time a record that was begun and not finished is given up: its writer was killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Turns records into lines.
pub struct Tracer {
    arena: File,
    out: BufWriter<Box<dyn Write>>,
    filter: Filter,
    /// Index of the next record.
    next: u64,
    lost: u64,
    /// Since when the record at `next` is begun and not finished.
    stuck: Option<Instant>,
    /// Nobody reads the lines any more, or they cannot be written.
    closed: bool,
    failure: Option<std::io::Error>,
}

/// What stands in one place of the ring, seen from the index that is expected there.
#[derive(Debug, PartialEq, Eq)]
enum Slot {
    Ready,
    /// Being written.
    Unfinished,
    /// A later record took the place.
    Overwritten,
}

fn judge(seq: u64, index: u64) -> Slot {
    match seq.cmp(&(index + 1)) {
        std::cmp::Ordering::Equal => Slot::Ready,
        std::cmp::Ordering::Less => Slot::Unfinished,
        std::cmp::Ordering::Greater => Slot::Overwritten,
    }
}

impl Tracer {
    pub fn new(arena: File, out: Box<dyn Write>, filter: Filter) -> Tracer {
        let out = BufWriter::with_capacity(1 << 16, out);
        Tracer { arena, out, filter, next: 0, lost: 0, stuck: None, closed: false, failure: None }
    }

    /// Writes what has come since the last time. `last`: the world is over, nothing more will come.
    pub fn drain(&mut self, last: bool) -> Result<()> {
        let header = self.header()?;
        if header.magic != MAGIC {
            // The world is not up yet, or never came up.
            return Ok(());
        }
        ensure!(
            header.version == VERSION && header.record_size == RECORD_SIZE as u32,
            "the trace ring is of version {}, not {VERSION}",
            header.version
        );
        if header.head.saturating_sub(self.next) > CAPACITY {
            // Some of what is left is being overwritten: keep away from the edge.
            let first = header.head - CAPACITY + BATCH;
            self.lost += first - self.next;
            self.next = first;
        }
        let mut buffer = vec![0; BATCH as usize * RECORD_SIZE];
        while self.next < header.head {
            if !self.batch(&header, &mut buffer, last)? {
                break;
            }
        }
        self.flush();
        Ok(())
    }

    fn header(&self) -> Result<Header> {
        let mut bytes = [0; size_of::<Header>()];
        self.arena.read_exact_at(&mut bytes, HEADER_OFFSET).context("reading the trace ring")?;
        Header::read_from_bytes(&bytes).map_err(|_| anyhow::anyhow!("the trace ring's header has another size"))
    }

    /// Reads a run of records; `false` when the next one is not finished.
    fn batch(&mut self, header: &Header, buffer: &mut [u8], last: bool) -> Result<bool> {
        let to_end = CAPACITY - self.next % CAPACITY;
        let count = (header.head - self.next).min(BATCH).min(to_end) as usize;
        let bytes = &mut buffer[..count * RECORD_SIZE];
        self.arena.read_exact_at(bytes, Record::offset(self.next)).context("reading the trace ring")?;
        // Whoever began to overwrite a record during the copy had taken its number before.
        let whole_from = self.header()?.head.saturating_sub(CAPACITY);
        for bytes in bytes.chunks_exact(RECORD_SIZE) {
            let seq = bytes.first_chunk::<8>().map_or(0, |word| u64::from_le_bytes(*word));
            match judge(seq, self.next) {
                Slot::Ready if self.next >= whole_from => {
                    if let Ok(record) = Record::read_from_bytes(bytes) {
                        self.show(&record, header.start_ns);
                    }
                }
                Slot::Unfinished if !last && self.stuck.get_or_insert_with(Instant::now).elapsed() < PATIENCE => {
                    return Ok(false);
                }
                _ => self.lost += 1,
            }
            self.stuck = None;
            self.next += 1;
        }
        Ok(true)
    }

    fn show(&mut self, record: &Record, start_ns: u64) {
        if !self.closed && self.filter.matches(record) {
            let written = self.out.write_all(line::line(record, start_ns).as_bytes());
            self.note(written);
        }
    }

    fn flush(&mut self) {
        if !self.closed {
            let written = self.out.flush();
            self.note(written);
        }
    }

    /// Nothing more is written after an error; that a reader went away is none.
    fn note(&mut self, written: std::io::Result<()>) {
        if let Err(error) = written {
            self.closed = true;
            self.failure = Some(error).filter(|error| error.kind() != ErrorKind::BrokenPipe);
        }
    }

    /// The last lines, and what is missing.
    pub fn finish(mut self) -> Result<()> {
        self.drain(true)?;
        if self.lost > 0 {
            let lost = self.lost;
            crate::say(format_args!("{lost} trace records were lost: the program was faster than the trace could be written"));
        }
        match self.failure {
            Some(error) => Err(error).context("cannot write the trace"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_trace_format::ring::kind;
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    use std::sync::{Arc, Mutex};
    use zerocopy::IntoBytes;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("one thread").write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn ring() -> (File, Sink, Tracer) {
        let arena = File::from(memfd_create("ring", MemfdFlags::CLOEXEC).expect("a memory object"));
        ftruncate(&arena, 256 << 20).expect("sized");
        let sink = Sink::default();
        let tracer = Tracer::new(arena.try_clone().expect("a second descriptor"), Box::new(sink.clone()), Filter::all());
        (arena, sink, tracer)
    }

    fn head(arena: &File, head: u64) {
        let header =
            Header { magic: MAGIC, version: VERSION, record_size: RECORD_SIZE as u32, capacity: CAPACITY, start_ns: 0, head };
        arena.write_all_at(header.as_bytes(), HEADER_OFFSET).expect("written");
    }

    fn put(arena: &File, index: u64, seq: u64) {
        let mut record = Record::new(kind::EXIT);
        record.pid = index as u32;
        record.tid = record.pid;
        record.seq = seq;
        arena.write_all_at(record.as_bytes(), Record::offset(index)).expect("written");
    }

    #[test]
    fn records_come_in_order_and_an_unfinished_one_is_waited_for() {
        let (arena, sink, mut tracer) = ring();
        head(&arena, 3);
        put(&arena, 0, 1);
        put(&arena, 2, 3);
        tracer.drain(false).expect("read");
        assert_eq!((tracer.next, tracer.lost), (1, 0));
        put(&arena, 1, 2);
        tracer.drain(false).expect("read");
        assert_eq!((tracer.next, tracer.lost), (3, 0));
        let text = String::from_utf8(sink.0.lock().expect("one thread").clone()).expect("text");
        let pids: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(pids, ["0", "1", "2"]);
    }

    #[test]
    fn what_was_overwritten_or_never_finished_is_counted() {
        let (arena, _sink, mut tracer) = ring();
        head(&arena, 3);
        put(&arena, 0, CAPACITY + 1);
        put(&arena, 1, 2);
        tracer.drain(true).expect("read");
        assert_eq!((tracer.next, tracer.lost), (3, 2));
        head(&arena, 3 + 2 * CAPACITY);
        tracer.drain(true).expect("read");
        assert_eq!(tracer.next, 3 + 2 * CAPACITY);
        assert_eq!(tracer.lost, 2 + 2 * CAPACITY);
    }
}
