//! A future whose answer becomes the caller's type last.

use std::pin::Pin;
use std::task::{Context, Poll};

use assoc_core::Result;
use assoc_core::driver::BoxFuture;

/// Runs `work`, which knows no model, and then `finish` on its answer.
///
/// The compiler proves that a boxed future is `Send` by a walk through every type inside it, anew for each model that a
/// call is generic over. Here `work` was proven once, where it was written, and `finish` is a function pointer.
pub(crate) fn finish_with<'a, U: 'a, T: 'a>(
    work: BoxFuture<'a, Result<U>>,
    finish: fn(U) -> Result<T>,
) -> BoxFuture<'a, Result<T>> {
    Box::pin(Finishing { work, finish })
}

struct Finishing<'a, U, T> {
    work: BoxFuture<'a, Result<U>>,
    finish: fn(U) -> Result<T>,
}

impl<U, T> Future for Finishing<'_, U, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let finish = self.finish;
        match self.work.as_mut().poll(context) {
            Poll::Ready(Ok(answer)) => Poll::Ready(finish(answer)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}
