//! How a transaction is begun, and whether it is run again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use assoc_core::driver::IsolationLevel;

/// How a transaction is begun, and whether it is run again: what [`Repo::transaction_with`](crate::Repo::transaction_with)
/// takes.
///
/// ```
/// use assoc_repo::{IsolationLevel, RetryPolicy, TransactionOptions};
///
/// let options = TransactionOptions::new().isolation(IsolationLevel::Serializable).retry(RetryPolicy::new(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use = "options do nothing until a transaction is begun with them"]
pub struct TransactionOptions {
    pub(crate) isolation: Option<IsolationLevel>,
    pub(crate) read_only: bool,
    pub(crate) retry: Option<RetryPolicy>,
}

impl TransactionOptions {
    /// A transaction as [`Repo::transaction`](crate::Repo::transaction) begins it: of the database's own isolation level, for
    /// reading and writing, run once.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::TransactionOptions;
    ///
    /// repo.transaction_with(TransactionOptions::new(), async |tx| tx.delete_all(Query::<Post>::new()).await).await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn new() -> Self {
        TransactionOptions::default()
    }

    /// At least this isolation. SQLite isolates all transactions completely, so that any level is given there.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::{IsolationLevel, TransactionOptions};
    ///
    /// let tx = repo.begin_with(TransactionOptions::new().isolation(IsolationLevel::Serializable)).await?;
    /// assert_eq!(tx.count(Query::<Post>::new()).await?, 3);
    /// tx.commit().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn isolation(mut self, level: IsolationLevel) -> Self {
        self.isolation = Some(level);
        self
    }

    /// For reading only, all statements seeing one state of the database where it offers that. Calls that write are
    /// refused before any SQL.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::TransactionOptions;
    ///
    /// let tx = repo.begin_with(TransactionOptions::new().read_only()).await?;
    /// assert_eq!(tx.count(Query::<Post>::new()).await?, 3);
    /// assert!(tx.delete_all(Query::<Post>::new()).await.is_err());
    /// tx.rollback().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Runs the closure again, from BEGIN to COMMIT, when a deadlock, a lock timeout or a busy database has undone it.
    ///
    /// ```
    /// use assoc_repo::{RetryPolicy, TransactionOptions};
    ///
    /// let options = TransactionOptions::new().retry(RetryPolicy::new(3)); // at most 3 attempts
    /// assert_ne!(options, TransactionOptions::new());
    /// ```
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    // Whether they say nothing that a savepoint does not do as well.
    pub(crate) fn are_plain(self) -> bool {
        self == TransactionOptions::default()
    }
}

/// How often a transaction is run again, and after which time.
///
/// Before the second attempt there is a delay of up to the base delay, before each further one of up to twice as much as
/// before the last, and never more than the longest delay. Each is drawn at random, between half of that and all of it, so
/// that transactions that have met once do not meet again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    base: Duration,
    longest: Duration,
}

impl RetryPolicy {
    /// So many attempts in all, with delays from 10 milliseconds up to one second.
    ///
    /// ```
    /// use assoc_repo::RetryPolicy;
    ///
    /// const THRICE: RetryPolicy = RetryPolicy::new(3);
    /// assert_eq!(THRICE, RetryPolicy::new(3));
    /// ```
    #[must_use]
    pub const fn new(attempts: u32) -> Self {
        RetryPolicy { attempts, base: Duration::from_millis(10), longest: Duration::from_secs(1) }
    }

    /// The same with another base delay.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use assoc_repo::RetryPolicy;
    ///
    /// // Waits for up to 50, 100 and 200 milliseconds.
    /// let policy = RetryPolicy::new(4).base_delay(Duration::from_millis(50));
    /// assert_ne!(policy, RetryPolicy::new(4));
    /// ```
    #[must_use]
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.base = delay;
        self
    }

    /// The same with another longest delay.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use assoc_repo::RetryPolicy;
    ///
    /// // Waits for up to 10, 20, 25 and 25 milliseconds.
    /// let policy = RetryPolicy::new(5).longest_delay(Duration::from_millis(25));
    /// assert_ne!(policy, RetryPolicy::new(5));
    /// ```
    #[must_use]
    pub const fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest = delay;
        self
    }

    /// How long to wait after attempt number `failed`, counted from 1; `None` if it was the last.
    pub(crate) fn delay_after(self, failed: u32) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        let doubled = 1_u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        let most = self.base.saturating_mul(doubled).min(self.longest);
        // A hasher of new keys gives a number that no other caller has.
        let random = RandomState::new().hash_one(failed);
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Some(Duration::from_nanos(nanos / 2 + random % (nanos / 2 + 1)))
    }
}

/// Waits, on any runtime or none: a thread wakes the task. It is for the delay after a failed transaction, which is rare.
pub(crate) async fn wait(delay: Duration) {
    if delay.is_zero() {
        return;
    }
    let (wake, woken) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("assoc-retry".to_owned()).spawn(move || {
        std::thread::sleep(delay);
        // The task may have been dropped.
        let _ = wake.send(());
    });
    // Without a thread the transaction is run again at once.
    if thread.is_ok() {
        let _ = woken.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let policy =
            RetryPolicy::new(4).base_delay(Duration::from_millis(100)).longest_delay(Duration::from_millis(250));
        let within = |failed, low, high| {
            let delay = policy.delay_after(failed).map(|delay| delay.as_millis());
            assert!(delay.is_some_and(|delay| (low..=high).contains(&delay)), "{failed}: {delay:?}");
        };
        for _ in 0..50 {
            within(1, 50, 100);
            within(2, 100, 200);
            within(3, 125, 250);
        }
        assert_eq!(policy.delay_after(4), None);
    }

    #[test]
    fn no_number_of_attempts_overflows() {
        assert_eq!(RetryPolicy::new(0).delay_after(1), None);
        let endless = RetryPolicy::new(u32::MAX).base_delay(Duration::MAX).longest_delay(Duration::MAX);
        assert!(endless.delay_after(1_000_000).is_some());
        assert_eq!(RetryPolicy::new(9).base_delay(Duration::ZERO).delay_after(3), Some(Duration::ZERO));
    }
}
