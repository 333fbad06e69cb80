//! The keyring of the operating system.
//!
//! A keyring may never answer: a bus that accepts and says nothing, or a question to unlock it on a screen that nobody
//! sees. Every call therefore runs on a thread that nothing waits for, with a deadline. There is one such thread at most;
//! while it hangs, further calls fail at once, and the process ends without it.

use std::sync::mpsc::sync_channel;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::keyring::{Entry, Error};
use zeroize::{Zeroize as _, Zeroizing};

use super::patience::{NoAnswer, PassphrasePatience};
use crate::protocol::GroupSecret;
use crate::text::Clean;

/// The service name of all our entries.
const SERVICE: &str = "d2mtop";

/// How long one waits for whoever asks it already.
const PATIENCE: Duration = Duration::from_secs(3);

/// The keyring failed. Its message never contains any of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none, or it cannot be reached.
    #[error("no keyring can be reached ({0}); start one (such as gnome-keyring or KWallet), or keep the key in a file")]
    Unreachable(Clean),
    /// It does not answer within so many seconds.
    #[error(
        "the keyring gave no answer within {0} s; it may be waiting for you to unlock it, or its D-Bus hangs: unlock or restart it, or keep the key in a file"
    )]
    NoAnswer(u64),
    /// It did not answer, and whoever waited has given up.
    #[error("given up waiting for the keyring; unlock it and try again, or keep the key in a file")]
    GivenUp,
    /// It is locked, or nobody answered its question.
    #[error("the keyring is locked or refuses access ({0}); unlock it and try again, or keep the key in a file")]
    Locked(Clean),
    /// More than one entry has this name.
    #[error(
        "the keyring has several entries for this name; remove all but one of the service {SERVICE:?} with its own program"
    )]
    Ambiguous,
    /// The entry is no key.
    #[error("what the keyring holds under this name is no key; remove it and import the key again")]
    NotAKey,
    /// Something else.
    #[error("the keyring failed: {0}")]
    Failed(Clean),
}

/// The key of this name, if there is one.
pub(super) fn load(name: &str, may_ask: bool) -> Result<Option<GroupSecret>, KeyringError> {
    let user = name.to_owned();
    call(may_ask, move || match entry(&user)?.get_password().map(Zeroizing::new) {
        Ok(digits) => GroupSecret::from_hex(&digits).map(Some).map_err(|_| KeyringError::NotAKey),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(explain(error)),
    })
}

/// Saves the key as text: some keyrings hold nothing else.
pub(super) fn save(name: &str, secret: &GroupSecret, may_ask: bool) -> Result<(), KeyringError> {
    let user = name.to_owned();
    let digits = secret.expose_hex();
    call(may_ask, move || entry(&user)?.set_password(&digits).map_err(explain))
}

/// Deletes the key. Returns whether there was one.
pub(super) fn delete(name: &str) -> Result<bool, KeyringError> {
    let user = name.to_owned();
    call(true, move || match entry(&user)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(error) => Err(explain(error)),
    })
}

fn entry(user: &str) -> Result<Entry, KeyringError> {
    // An entry would only say that there is no store; this says why.
    Entry::store_status().as_ref().map_err(|error| KeyringError::Unreachable(words(error)))?;
    Entry::new(SERVICE, user).map_err(explain)
}

fn explain(error: Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(cause) => KeyringError::Locked(Clean::new(&cause.to_string())),
        Error::Ambiguous(_) => KeyringError::Ambiguous,
        // These carry what was read.
        Error::BadEncoding(mut bytes) | Error::BadDataFormat(mut bytes, _) => {
            bytes.zeroize();
            KeyringError::NotAKey
        }
        error => KeyringError::Failed(words(&error)),
    }
}

fn words(error: &Error) -> Clean {
    Clean::new(&match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        error => error.to_string(),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Thread {
    Idle,
    Busy,
    /// Past its deadline.
    Stuck,
}

static THREAD: Mutex<Thread> = Mutex::new(Thread::Idle);
static DONE: Condvar = Condvar::new();

fn thread() -> MutexGuard<'static, Thread> {
    THREAD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Marks the thread idle when the job is over, even by a panic.
struct Working;

impl Drop for Working {
    fn drop(&mut self) {
        *thread() = Thread::Idle;
        DONE.notify_all();
    }
}

/// Runs the job on the one detached thread, and waits for it no longer than the deadline: that of a person, if one may be
/// asked and is there.
fn call<T: Send + 'static>(
    may_ask: bool,
    job: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    {
        let (mut thread, _) = DONE
            .wait_timeout_while(thread(), PATIENCE, |thread| *thread == Thread::Busy)
            .unwrap_or_else(PoisonError::into_inner);
        if *thread != Thread::Idle {
            return Err(KeyringError::NoAnswer(PATIENCE.as_secs()));
        }
        *thread = Thread::Busy;
    }
    let (answer, result) = sync_channel(1);
    let working = Working;
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || {
            let outcome = job();
            drop(working);
            // Nobody may be listening any more.
            let _ = answer.send(outcome);
        })
        .map_err(|cause| KeyringError::Failed(Clean::new(&cause.to_string())))?;
    PassphrasePatience::new(may_ask).wait(&result).unwrap_or_else(|why| {
        if why != NoAnswer::Ended {
            let mut thread = thread();
            if *thread == Thread::Busy {
                *thread = Thread::Stuck;
            }
        }
        Err(match why {
            NoAnswer::Late(seconds) => KeyringError::NoAnswer(seconds),
            NoAnswer::GivenUp => KeyringError::GivenUp,
            NoAnswer::Ended => KeyringError::Failed(Clean::literal("its thread ended")),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// One test, because the one thread is shared by all.
    #[test]
    fn a_job_that_hangs_or_panics_never_holds_anybody_up() {
        assert_eq!(call(false, || Ok(1)), Ok(1));
        assert!(matches!(call::<()>(false, || panic!("on purpose")), Err(KeyringError::Failed(_))));
        assert_eq!(call(false, || Ok(2)), Ok(2), "a panic frees the thread");

        let (release, released) = sync_channel::<()>(0);
        let start = Instant::now();
        let hung = call(false, move || {
            let _ = released.recv();
            Ok(())
        });
        assert_eq!(hung, Err(KeyringError::NoAnswer(3)));
        assert!((PATIENCE..PATIENCE * 2).contains(&start.elapsed()));
        let start = Instant::now();
        assert_eq!(call(false, || Ok(())), Err(KeyringError::NoAnswer(3)), "no second thread");
        assert!(start.elapsed() < PATIENCE / 2, "and no second wait");

        release.send(()).unwrap();
        drop(DONE.wait_while(thread(), |thread| *thread != Thread::Idle).unwrap());
        assert_eq!(call(false, || Ok(3)), Ok(3), "it comes back");
    }

    #[test]
    fn errors_do_not_carry_what_was_read() {
        let error = explain(Error::BadEncoding(b"\xffsecret".to_vec()));
        assert_eq!(error, KeyringError::NotAKey);
        let error = explain(Error::BadDataFormat(b"secret".to_vec(), "bad".into()));
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}
