//! The machine that measures, as far as it says what it is.

use serde::Serialize;

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The name of the processor, where the system tells it.
    cpu: Option<String>,
    /// Cores that the program may use.
    cores: usize,
    os: &'static str,
    arch: &'static str,
    /// Whether the programs are optimised; figures of others mean nothing.
    optimised: bool,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: model(&info),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            optimised: !cfg!(debug_assertions),
        }
    }

    /// In one line.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}, {} cores, {} {}{}",
            self.cpu.as_deref().unwrap_or("processor not known"),
            self.cores,
            self.os,
            self.arch,
            if self.optimised {
                ""
            } else {
                ", NOT OPTIMISED"
            },
        )
    }
}

/// The first `model name` of `/proc/cpuinfo`.
fn model(info: &str) -> Option<String> {
    info.lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map(|(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_where_it_is_told() {
        let info = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Other\n";
        assert_eq!(model(info).as_deref(), Some("Some CPU @ 2 GHz"));
        assert_eq!(model("Processor: 1\n"), None);
    }
}
