//! What a server logs.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// Where the log of the latest start begins.
    start: AtomicUsize,
}

impl Log {
    pub fn new(path: PathBuf) -> Log {
        Log { path, start: AtomicUsize::new(0) }
    }

    /// For a server that starts now.
    pub fn open(&self) -> io::Result<File> {
        let file = File::options().create(true).append(true).open(&self.path)?;
        let length = file.metadata()?.len() as usize;
        self.start.store(length, Ordering::SeqCst);
        Ok(file)
    }

    /// All of it.
    pub fn read(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// The end of the latest start's, for an error message.
    pub fn tail(&self) -> String {
        const SHOWN: usize = 15;
        let bytes = self.bytes();
        let latest = bytes.get(self.start.load(Ordering::SeqCst)..).unwrap_or(&[]);
        let text = String::from_utf8_lossy(latest);
        let mut lines: Vec<&str> = text.lines().collect();
        if lines.len() > SHOWN {
            // The first line stays: after a wrong flag the whole usage follows what was wrong.
            lines.splice(1..lines.len() - SHOWN, ["..."]);
        }
        format!("; of its log:\n{}", lines.join("\n"))
    }

    fn bytes(&self) -> Vec<u8> {
        // A log that cannot be read is missing from a message; that is all.
        std::fs::read(&self.path).unwrap_or_default()
    }
}
