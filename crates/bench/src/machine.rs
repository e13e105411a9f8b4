//! The machine that was measured: figures without it mean nothing.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

/// What a reader needs to judge the figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    /// How many CPUs the benchmark may use.
    pub cpus: usize,
    /// Whether the processor says that it is a virtual one.
    pub virtual_machine: bool,
    pub memory_mib: u64,
    /// The host's kernel.
    pub kernel: String,
    /// Of the last minute, before the run. Above 0.5 the figures are those of a busy machine.
    pub load: f64,
}

impl Machine {
    /// This machine, now. What cannot be read is left empty.
    pub fn this() -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal").split_whitespace().next().map(str::to_owned);
        Self {
            processor: field(&cpuinfo, "model name"),
            cpus: thread::available_parallelism().map_or(1, usize::from),
            virtual_machine: field(&cpuinfo, "flags").split_whitespace().any(|flag| flag == "hypervisor"),
            memory_mib: memory_kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg").split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }

    /// One line for people.
    pub fn describe(&self) -> String {
        format!(
            "{}, {} CPUs{}, {} MiB, Linux {}, load {:.1}",
            self.processor,
            self.cpus,
            if self.virtual_machine { " (virtual)" } else { "" },
            self.memory_mib,
            self.kernel,
            self.load
        )
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The text behind `name:`, at its first place.
fn field(text: &str, name: &str) -> String {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .map_or(String::new(), |value| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model\t\t: 1\nmodel name\t: A processor\nMemTotal:   42 kB\n";
        assert_eq!(field(text, "model name"), "A processor");
        assert_eq!(field(text, "model"), "1");
        assert_eq!(field(text, "MemTotal"), "42 kB");
        assert_eq!(field(text, "absent"), "");
    }

    #[test]
    fn this_machine_has_a_cpu() {
        assert!(Machine::this().cpus >= 1);
    }
}
