//! Shows the progress of a command on standard error: a bar on a terminal, log lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of a command through a known number of things.
pub(super) struct ProgressDisplay {
    total: u64,
    action: &'static str,
    bar: ProgressBar,
    /// The number of tenths that were logged.
    logged_tenths: u64,
}

impl ProgressDisplay {
    /// Creates a display. `action` is the text of the log lines, and `noun` names the things.
    pub(super) fn new(total: u64, action: &'static str, noun: &str) -> Self {
        let bar = ProgressBar::new(total);
        let template = format!("{{bar:30}} {{pos}} of {{len}} {noun}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("#- "));
        }
        if bar.is_hidden() {
            tracing::info!(total, "{action}");
        }
        Self { total, action, bar, logged_tenths: 0 }
    }

    pub(super) fn update(&mut self, done: u64) {
        self.bar.set_position(done);
        let tenths = (done * 10).checked_div(self.total).unwrap_or(10).min(10);
        // The bar is hidden if standard error is not a terminal.
        if self.bar.is_hidden() && tenths > self.logged_tenths {
            self.logged_tenths = tenths;
            tracing::info!(done, total = self.total, "{}", self.action);
        }
    }
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
