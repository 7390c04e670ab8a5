//! Reads the lines of a file with bounded memory.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
};

use aws_lc_rs::digest::{Context, Digest, SHA256};

use super::error::TransferError;

/// The maximum length of a line. A document of MongoDB has at most 16 MiB.
const MAX_LINE_BYTES: u64 = 32 * 1024 * 1024;

/// The lines of a file, from its beginning, with the digest of all bytes.
pub(super) struct LineReader<'a> {
    file: BufReader<&'a File>,
    line: Vec<u8>,
    number: u64,
    digest: Context,
}

impl<'a> LineReader<'a> {
    /// Starts at the beginning of a file.
    pub(super) fn new(mut file: &'a File) -> Result<Self, TransferError> {
        file.seek(SeekFrom::Start(0))?;
        let file = BufReader::with_capacity(64 * 1024, file);
        Ok(Self { file, line: Vec::new(), number: 0, digest: Context::new(&SHA256) })
    }

    /// Reads the next line, and returns its number and its text without the line break.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &str)>, TransferError> {
        self.line.clear();
        let mut limited = (&mut self.file).take(MAX_LINE_BYTES + 1);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.digest.update(&self.line);
        if self.line.len() as u64 > MAX_LINE_BYTES {
            let limit = MAX_LINE_BYTES / (1024 * 1024);
            return Err(TransferError::at(self.number, format!("longer than {limit} MiB")));
        }
        let bytes = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|_| TransferError::at(self.number, "not UTF-8"))?;
        Ok(Some((self.number, text)))
    }

    /// Returns the digest of all lines that were read.
    pub(super) fn digest(self) -> Digest {
        self.digest.finish()
    }
}
