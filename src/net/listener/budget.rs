//! [`Budget`]: what memory the messages of the relay's clients take, all of them together.
//!
//! A message may be as long as a frame of a rendezvous, and anybody may send one. So every byte counts from when it is
//! read off a socket until the message that it is in has been passed on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes there may be, and how many there are.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Whether there was room for so many.
    fn charge(&self, bytes: usize) -> bool {
        self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= self.limit
    }

    fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A connection's share.
#[derive(Debug)]
pub(super) struct Account {
    budget: Arc<Budget>,
    /// Read off the socket, and not yet a message.
    unfinished: AtomicUsize,
}

impl Account {
    pub(super) const fn new(budget: Arc<Budget>) -> Self {
        Self { budget, unfinished: AtomicUsize::new(0) }
    }

    fn charge(&self, bytes: usize) -> bool {
        self.unfinished.fetch_add(bytes, Ordering::Relaxed);
        self.budget.charge(bytes)
    }

    /// A message is whole. It counts until nobody has it any more; what was read beyond it fits into a read buffer.
    pub(super) fn settle(&self, message: Bytes) -> Bytes {
        self.budget.charge(message.len());
        self.budget.release(self.unfinished.swap(0, Ordering::Relaxed));
        Bytes::from_owner(CountedMessage { budget: Arc::clone(&self.budget), message })
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.release(*self.unfinished.get_mut());
    }
}

struct CountedMessage {
    budget: Arc<Budget>,
    message: Bytes,
}

impl AsRef<[u8]> for CountedMessage {
    fn as_ref(&self) -> &[u8] {
        &self.message
    }
}

impl Drop for CountedMessage {
    fn drop(&mut self) {
        self.budget.release(self.message.len());
    }
}

/// A stream whose bytes count when they are read. Beyond the budget it breaks, with
/// [`QuotaExceeded`](io::ErrorKind::QuotaExceeded).
pub(super) struct Metered<S> {
    inner: S,
    account: Arc<Account>,
}

impl<S> Metered<S> {
    pub(super) const fn new(inner: S, account: Arc<Account>) -> Self {
        Self { inner, account }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let has_room = self.account.charge(buffer.filled().len() - before);
        Poll::Ready(if has_room { Ok(()) } else { Err(io::ErrorKind::QuotaExceeded.into()) })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn bytes_count_from_the_socket_until_nobody_has_the_message() {
        let budget = Arc::new(Budget::new(10));
        let account = Arc::new(Account::new(Arc::clone(&budget)));
        let (mut sender, receiver) = tokio::io::duplex(64);
        let mut metered = Metered::new(receiver, Arc::clone(&account));
        sender.write_all(b"12345678").await.unwrap();
        let mut buffer = [0; 8];
        metered.read_exact(&mut buffer).await.unwrap();
        assert_eq!(budget.used.load(Ordering::Relaxed), 8);
        let message = account.settle(Bytes::copy_from_slice(&buffer));
        let slice = message.slice(2..3);
        drop(message);
        assert_eq!((budget.used.load(Ordering::Relaxed), &slice[..]), (8, &b"3"[..]));
        sender.write_all(b"123").await.unwrap();
        let error = metered.read_exact(&mut [0; 3]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        drop(slice);
        assert_eq!(budget.used.load(Ordering::Relaxed), 3);
        drop((metered, account));
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
