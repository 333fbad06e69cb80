//! Why a session does not do what it was asked for.

/// Why something that was asked for is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The session is read-only.
    #[error("not done: this is a read-only session")]
    ReadOnly,
    /// No login at the moment.
    #[error("not done: not connected")]
    NotConnected,
    /// We hold or await the lock already.
    #[error("not done: this device already holds or awaits the lock")]
    LockBusy,
    /// There is no lock of ours to release.
    #[error("nothing to release: this device does not hold the lock")]
    NoLock,
    /// The device to drop is no longer in the list.
    #[error("not dropped: the device is no longer in the group")]
    NoSuchDevice,
    /// The connection ended before the server confirmed.
    #[error("the connection ended before the server confirmed")]
    Unconfirmed,
    /// The connection ended while the lock was awaited.
    #[error("not locked: the connection ended before the lock was granted")]
    NotLocked,
    /// The message is too large to be delivered.
    #[error("not sent: the message is larger than can be delivered")]
    TooLarge,
    /// The message is made for the other dialect.
    #[error("not sent: the message is made for the other dialect, and no device here could read it")]
    NotInDialect,
    /// The dialect has nothing to reflect that changes nothing.
    #[error("not sent: dialect mk has no message that changes nothing anywhere")]
    NoProbe,
    /// More is asked than is being done.
    #[error("busy: too many requests are waiting")]
    Busy,
}
