//! The head of an HTTP answer, read off a stream in whatever pieces it comes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::text::Clean;

/// The most bytes that a head may have.
const MOST_BYTES: usize = 16 * 1_024;
/// The most header lines that a head may have.
const MOST_HEADERS: usize = 128;

/// The head of an answer that is no interim one.
#[derive(Debug)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The words behind it.
    pub reason: Clean,
    headers: Vec<(String, Vec<u8>)>,
    /// What came behind the head.
    pub rest: Vec<u8>,
}

/// What came is not the head of an answer.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Too many bytes or lines.
    #[error("its answer has no end")]
    TooLong,
    /// Something else than HTTP.
    #[error("its answer is not HTTP")]
    NotHttp,
    /// The stream ended before the head did.
    #[error("it ended the connection without an answer")]
    Ended,
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Head {
    /// The values of a header, each line on its own.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .map(str::trim)
    }

    /// Whether a header that lists words, separated by commas, has this one.
    #[must_use]
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.values(name).flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
    }
}

/// Reads pieces of so many bytes at most until there is a head; a byte each where nothing behind the head may be read.
/// Interim answers (100 to 199, but for 101) are passed over.
///
/// # Errors
/// If what comes is no head.
pub async fn read(stream: &mut (impl AsyncRead + Unpin), piece: usize) -> Result<Head, HeadError> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; piece];
    loop {
        while let Some((head, length)) = parse(&bytes)? {
            let is_interim = (100..200).contains(&head.status) && head.status != 101;
            let rest = bytes.split_off(length);
            if !is_interim {
                return Ok(Head { rest, ..head });
            }
            bytes = rest;
        }
        if bytes.len() > MOST_BYTES {
            return Err(HeadError::TooLong);
        }
        match stream.read(&mut buffer).await? {
            0 if bytes.is_empty() => return Err(HeadError::Ended),
            0 => return Err(HeadError::NotHttp),
            count => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, HeadError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let headers =
                response.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect();
            let reason = Clean::new(response.reason.unwrap_or_default());
            let status = response.code.ok_or(HeadError::NotHttp)?;
            Ok(Some((Head { status, reason, headers, rest: Vec::new() }, length)))
        }
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooLong),
        Err(_) => Err(HeadError::NotHttp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn head(mut bytes: &[u8], piece: usize) -> Result<Head, HeadError> {
        read(&mut bytes, piece).await
    }

    #[tokio::test]
    async fn heads_come_in_pieces_behind_interim_ones_and_before_what_follows() {
        let bytes =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 Switching\r\n\
                      Connection: keep-alive, Upgrade\r\nupgrade:  websocket \r\n\r\n\x81\x01a";
        for piece in 1..bytes.len() {
            let mut head = head(bytes, piece).await.unwrap();
            assert_eq!((head.status, head.reason.as_str()), (101, "Switching"));
            assert!(head.lists("Connection", "upgrade") && !head.lists("Connection", "close"));
            assert_eq!(head.values("Upgrade").collect::<Vec<_>>(), ["websocket"]);
            assert!(b"\x81\x01a".starts_with(&std::mem::take(&mut head.rest)), "nothing of another message");
        }
    }

    #[tokio::test]
    async fn old_and_odd_answers_are_read() {
        for (bytes, status, reason) in [
            ("HTTP/1.0 403 Forbidden\r\n\r\n", 403, "Forbidden"),
            ("HTTP/1.1 502\r\n\r\n", 502, ""),
            ("HTTP/1.1 503 Not \x1b[2J now\nServer: x\n\n", 503, "Not ^[[2J now"),
        ] {
            let head = head(bytes.as_bytes(), 3).await;
            match head {
                Ok(head) => assert_eq!((head.status, head.reason.as_str()), (status, reason)),
                // The parser knows no escape in the words.
                Err(HeadError::NotHttp) => assert_eq!(status, 503),
                Err(error) => panic!("{bytes:?}: {error}"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_head_is_told() {
        assert!(matches!(head(b"SSH-2.0-OpenSSH\r\n", 5).await, Err(HeadError::NotHttp)));
        assert!(matches!(head(b"", 5).await, Err(HeadError::Ended)));
        assert!(matches!(head(b"HTTP/1.1 200 O", 5).await, Err(HeadError::NotHttp)));
        let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n", "x".repeat(MOST_BYTES));
        assert!(matches!(head(long.as_bytes(), 1_024).await, Err(HeadError::TooLong)));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MOST_HEADERS + 1));
        assert!(matches!(head(many.as_bytes(), 1_024).await, Err(HeadError::TooLong)));
    }
}
