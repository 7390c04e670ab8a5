//! Follows the requests of an HTTP/1.1 connection, and rejects those that servers read differently.
//!
//! hyper accepts a line that ends with a bare LF, a body with both `Content-Length` and
//! `Transfer-Encoding`, and repeated lengths. If a proxy reads such a request differently, a client
//! can hide a request in another one ([RFC 9112, section 11.2]). The scanner knows where each head
//! begins, because it counts the bytes of each body. It does no I/O, and its result does not depend on
//! how the bytes are split. `connection_io` applies it.
//!
//! **Invariant:** each request that both the scanner and hyper accept ends at the same byte for both.
//!
//! [RFC 9112, section 11.2]: https://www.rfc-editor.org/rfc/rfc9112.html#section-11.2

/// The number of bytes of a line that are kept. The lines that determine the length of a body fit.
const LINE_PREFIX: usize = 64;

/// The part of a request that was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RejectedPart {
    /// The request line or a header field.
    Head,
    /// The framing of a chunked body.
    Body,
}

/// The position of the first byte that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    /// The number of accepted bytes before it.
    pub(super) offset: usize,
    /// The part of the request that it belongs to.
    pub(super) part: RejectedPart,
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub(super) struct RequestScanner {
    expected: Expected,
    length: BodyLength,
    line: Line,
}

/// The element that the next byte belongs to. All elements but data are lines that end with CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The request line. A client may send empty lines before it.
    RequestLine,
    /// A header field, or the empty line at the end of the head.
    HeaderLine,
    /// This number of bytes of a body whose head gives the length.
    Data(u64),
    /// The line before a chunk, which gives its size.
    ChunkSize,
    /// This number of bytes of a chunk.
    ChunkData(u64),
    /// The empty line after the data of a chunk.
    ChunkEnd,
    /// A trailer field, or the empty line at the end of the body.
    TrailerLine,
}

/// The length of a body, by the header fields so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyLength {
    Empty,
    Fixed(u64),
    Chunked,
}

/// The current line.
#[derive(Debug)]
struct Line {
    prefix: [u8; LINE_PREFIX],
    /// The length of the line so far, without CR.
    length: usize,
    /// True if the previous byte is CR, so that LF must follow.
    after_cr: bool,
}

/// The error of an invalid line.
struct InvalidLine;

impl RequestScanner {
    /// Creates the scanner of a new connection.
    pub(super) const fn new() -> Self {
        Self { expected: Expected::RequestLine, length: BodyLength::Empty, line: Line::EMPTY }
    }

    /// Returns whether a request is complete, and no byte of the next one has arrived.
    pub(super) fn is_between_requests(&self) -> bool {
        self.expected == Expected::RequestLine && self.line.is_empty() && !self.line.after_cr
    }

    /// Returns whether the client still owes a part of a body.
    pub(super) fn is_in_body(&self) -> bool {
        !matches!(self.expected, Expected::RequestLine | Expected::HeaderLine)
    }

    /// Scans the next bytes of the connection.
    ///
    /// # Errors
    ///
    /// Returns the position of the first byte that is not accepted. The scanner is of no use after
    /// that.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let mut offset = 0;
        while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
            let part = if self.is_in_body() { RejectedPart::Body } else { RejectedPart::Head };
            offset += match self.expected {
                Expected::Data(remaining) | Expected::ChunkData(remaining) => {
                    self.skip_data(rest.len(), remaining)
                }
                _ => self
                    .scan_line(rest)
                    .map_err(|taken| Rejection { offset: offset + taken, part })?,
            };
        }
        Ok(())
    }

    /// Skips the available part of the data, and returns its length.
    fn skip_data(&mut self, available: usize, remaining: u64) -> usize {
        let skipped = remaining.min(u64::try_from(available).unwrap_or(u64::MAX));
        self.expected = match (self.expected, remaining - skipped) {
            (Expected::ChunkData(_), 0) => Expected::ChunkEnd,
            (Expected::ChunkData(_), remaining) => Expected::ChunkData(remaining),
            (_, 0) => Expected::RequestLine,
            (_, remaining) => Expected::Data(remaining),
        };
        usize::try_from(skipped).unwrap_or(available)
    }

    /// Scans the rest of a line, up to and including its line ending.
    ///
    /// Returns the number of scanned bytes. The error is the number of accepted ones.
    fn scan_line(&mut self, bytes: &[u8]) -> Result<usize, usize> {
        if self.line.after_cr {
            if bytes.first() != Some(&b'\n') {
                return Err(0);
            }
            self.end_line().map_err(|InvalidLine| 0_usize)?;
            self.line = Line::EMPTY;
            return Ok(1);
        }
        let text = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let text_length = text.unwrap_or(bytes.len());
        self.line.push(&bytes[..text_length]);
        match bytes.get(text_length) {
            None => Ok(text_length),
            Some(b'\r') => {
                self.line.after_cr = true;
                Ok(text_length + 1)
            }
            Some(_bare_lf) => Err(text_length),
        }
    }

    /// Determines the next element from the line that is complete.
    fn end_line(&mut self) -> Result<(), InvalidLine> {
        let is_empty = self.line.is_empty();
        self.expected = match self.expected {
            Expected::RequestLine | Expected::TrailerLine if is_empty => Expected::RequestLine,
            Expected::RequestLine => {
                self.length = BodyLength::Empty;
                Expected::HeaderLine
            }
            Expected::HeaderLine if !is_empty => {
                self.length = self.line.update_body_length(self.length)?;
                Expected::HeaderLine
            }
            Expected::HeaderLine => match self.length {
                BodyLength::Empty | BodyLength::Fixed(0) => Expected::RequestLine,
                BodyLength::Fixed(length) => Expected::Data(length),
                BodyLength::Chunked => Expected::ChunkSize,
            },
            Expected::ChunkSize => match self.line.parse_chunk_size()? {
                0 => Expected::TrailerLine,
                size => Expected::ChunkData(size),
            },
            Expected::ChunkEnd if is_empty => Expected::ChunkSize,
            Expected::TrailerLine => Expected::TrailerLine,
            Expected::ChunkEnd | Expected::Data(_) | Expected::ChunkData(_) => {
                return Err(InvalidLine);
            }
        };
        Ok(())
    }
}

impl Line {
    const EMPTY: Self = Self { prefix: [0; LINE_PREFIX], length: 0, after_cr: false };

    const fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn push(&mut self, text: &[u8]) {
        if let Some(free) = self.prefix.get_mut(self.length..) {
            let kept = free.len().min(text.len());
            free[..kept].copy_from_slice(&text[..kept]);
        }
        self.length = self.length.saturating_add(text.len());
    }

    /// Returns the first bytes of the line, and whether these are all.
    fn prefix(&self) -> (&[u8], bool) {
        (&self.prefix[..self.length.min(LINE_PREFIX)], self.length <= LINE_PREFIX)
    }

    /// Returns the length of the body after this header field.
    ///
    /// A request may have one field that determines it. A transfer coding other than `chunked` is not
    /// supported.
    fn update_body_length(&self, length: BodyLength) -> Result<BodyLength, InvalidLine> {
        let (line, is_complete) = self.prefix();
        let name_length = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(name_length);
        let is_length = name.eq_ignore_ascii_case(b"content-length");
        if !is_length && !name.eq_ignore_ascii_case(b"transfer-encoding") {
            return Ok(length);
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if !is_complete || length != BodyLength::Empty {
            return Err(InvalidLine);
        }
        if is_length {
            return parse_digits(value, 10).map(BodyLength::Fixed);
        }
        let is_chunked = value.eq_ignore_ascii_case(b"chunked");
        is_chunked.then_some(BodyLength::Chunked).ok_or(InvalidLine)
    }

    /// Returns the size of a chunk. Chunk extensions are ignored.
    fn parse_chunk_size(&self) -> Result<u64, InvalidLine> {
        let (line, is_complete) = self.prefix();
        match line.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t')) {
            Some(end) => parse_digits(&line[..end], 16),
            None if is_complete => parse_digits(line, 16),
            None => Err(InvalidLine),
        }
    }
}

/// Parses a number without a sign.
fn parse_digits(text: &[u8], radix: u32) -> Result<u64, InvalidLine> {
    let text = str::from_utf8(text).map_err(|_| InvalidLine)?;
    if !text.chars().all(|digit| digit.is_digit(radix)) {
        return Err(InvalidLine);
    }
    u64::from_str_radix(text, radix).map_err(|_| InvalidLine)
}
