//! Reads the standard metrics of the process (`process_…`) from `/proc`, at each scrape.
//!
//! `/proc` exists on Linux only. Elsewhere, and if a file of it cannot be read, the metrics are absent.

use std::{collections::HashMap, fs};

use prometheus::{
    Counter, Error, Gauge,
    core::{Collector, Desc},
    proto::MetricFamily,
};

/// The unit of CPU times in `/proc`, per second: `USER_HZ`, which is 100 on all supported systems.
const TICKS_PER_SECOND: f64 = 100.0;

/// A metric, and the value that it has in a reading.
type ReadingGauge = (Gauge, fn(&Reading) -> f64);

/// Exports the CPU time, memory, threads, open files and start time of this process.
pub(super) struct ProcessCollector {
    /// Describes the CPU time.
    cpu: Counter,
    /// The other metrics.
    gauges: [ReadingGauge; 6],
}

impl ProcessCollector {
    pub(super) fn new() -> Result<Self, Error> {
        let gauges: [ReadingGauge; 6] = [
            (Gauge::new("process_open_fds", "Number of open file descriptors.")?, |reading| {
                reading.open_files
            }),
            (
                Gauge::new("process_max_fds", "Maximum number of open file descriptors.")?,
                |reading| reading.max_files,
            ),
            (
                Gauge::new("process_virtual_memory_bytes", "Virtual memory size in bytes.")?,
                |reading| reading.virtual_bytes,
            ),
            (
                Gauge::new("process_resident_memory_bytes", "Resident memory size in bytes.")?,
                |reading| reading.resident_bytes,
            ),
            (
                Gauge::new(
                    "process_start_time_seconds",
                    "Start time of the process since unix epoch in seconds.",
                )?,
                |reading| reading.start_time,
            ),
            (Gauge::new("process_threads", "Number of OS threads in the process.")?, |reading| {
                reading.threads
            }),
        ];
        Ok(Self { cpu: cpu_counter()?, gauges })
    }
}

impl Collector for ProcessCollector {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = self.gauges.iter().flat_map(|(gauge, _)| gauge.desc());
        self.cpu.desc().into_iter().chain(gauges).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(reading) = Reading::take() else { return Vec::new() };
        // A counter cannot be set. A new one for each scrape is right also for two scrapes at once.
        let Ok(cpu) = cpu_counter() else { return Vec::new() };
        cpu.inc_by(reading.cpu_seconds);
        let mut families = cpu.collect();
        for (gauge, value) in &self.gauges {
            gauge.set(value(&reading));
            families.extend(gauge.collect());
        }
        families
    }
}

fn cpu_counter() -> Result<Counter, Error> {
    let help = "Total user and system CPU time spent in seconds.";
    Counter::new("process_cpu_seconds_total", help)
}

/// The values of all metrics at one time.
struct Reading {
    cpu_seconds: f64,
    open_files: f64,
    max_files: f64,
    virtual_bytes: f64,
    resident_bytes: f64,
    start_time: f64,
    threads: f64,
}

impl Reading {
    fn take() -> Option<Self> {
        let read = |file| fs::read_to_string(file).ok();
        let status = read("/proc/self/status")?;
        let status: HashMap<&str, &str> =
            status.lines().filter_map(|line| line.split_once(':')).collect();
        let (cpu_ticks, start_ticks) = cpu_and_start_ticks(&read("/proc/self/stat")?)?;
        let kibibytes = |name| Some(first_number(status.get(name)?)? * 1024.0);
        Some(Self {
            cpu_seconds: cpu_ticks / TICKS_PER_SECOND,
            // The folder itself is open while it is read.
            open_files: fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64,
            max_files: value_after(&read("/proc/self/limits")?, "Max open files")?,
            virtual_bytes: kibibytes("VmSize")?,
            resident_bytes: kibibytes("VmRSS")?,
            start_time: value_after(&read("/proc/stat")?, "btime")?
                + start_ticks / TICKS_PER_SECOND,
            threads: first_number(status.get("Threads")?)?,
        })
    }
}

/// Returns the CPU time and the start time in `/proc/self/stat`, in ticks.
fn cpu_and_start_ticks(stat: &str) -> Option<(f64, f64)> {
    // The name of the program, in parentheses, can contain spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    // The state is field 3, `utime` is 14, `stime` is 15 and `starttime` is 22 (proc(5)).
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    Some((field(14)? + field(15)?, field(22)?))
}

/// Returns the number after this word at the start of a line. `unlimited` is infinite.
fn value_after(text: &str, word: &str) -> Option<f64> {
    text.lines().find_map(|line| first_number(line.strip_prefix(word)?))
}

fn first_number(text: &str) -> Option<f64> {
    match text.split_ascii_whitespace().next()? {
        "unlimited" => Some(f64::INFINITY),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_proc_are_parsed() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 9 0 0 0 250 50 0 0 20 0 3 0 4200 1 2 3";
        assert_eq!(cpu_and_start_ticks(stat), Some((300.0, 4200.0)));
        assert_eq!(cpu_and_start_ticks("7 (a) S 1"), None);
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files  1024  524288  files\n";
        assert_eq!(value_after(limits, "Max open files"), Some(1024.0));
        assert_eq!(value_after("Max open files  unlimited", "Max open files"), Some(f64::INFINITY));
        assert_eq!(value_after(limits, "btime"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reading_of_this_process_is_plausible() {
        let reading = Reading::take().expect("a reading");
        assert!(reading.resident_bytes > 1e5 && reading.virtual_bytes >= reading.resident_bytes);
        assert!(reading.threads >= 1.0 && reading.cpu_seconds >= 0.0);
        assert!(reading.open_files >= 3.0 && reading.max_files >= reading.open_files);
        assert!(reading.start_time > 1.7e9, "{}", reading.start_time);
    }
}
