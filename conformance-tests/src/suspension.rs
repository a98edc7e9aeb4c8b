//! Futures that are dropped before they end.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Runs a future up to its n-th suspension and drops it there. `None` if it was dropped.
pub async fn dropped_at<F: Future>(suspension: usize, future: F) -> Option<F::Output> {
    let mut future: Pin<Box<F>> = Box::pin(future);
    let mut left = suspension;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
