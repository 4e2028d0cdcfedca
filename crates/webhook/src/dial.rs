//! Which addresses does an attempt dial, and until when? The resolver and the connector layer given
//! to reqwest (SP 34). Not here: vetting the addresses (`policy`).
//!
//! The table of vetted addresses belongs to one attempt and travels with its task, so a connection
//! can only go where this very attempt was allowed to go, however many attempts share a client. A
//! connection started without one, such as reqwest's spare ones, goes nowhere.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

/// How long after an attempt's release its connection may be ready.
pub(crate) const DIAL_MAX: Duration = Duration::from_secs(2);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

tokio::task_local! {
    static DIAL: Arc<Dial>;
}

/// What one attempt may dial.
#[derive(Debug)]
pub(crate) struct Dial {
    addresses: Vec<SocketAddr>,
    deadline: Instant,
    is_connected: AtomicBool,
}

impl Dial {
    /// For an attempt that starts now: the connection gets half its time, two seconds at most, so
    /// that running out of time to connect is never mistaken for running out of time to answer.
    pub(crate) fn new(addresses: &[SocketAddr], timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            addresses: addresses.to_vec(),
            deadline: Instant::now() + DIAL_MAX.min(timeout / 2),
            is_connected: AtomicBool::new(false),
        })
    }

    /// Runs a future whose connections may go to these addresses.
    pub(crate) async fn during<F: Future>(self: &Arc<Self>, future: F) -> F::Output {
        DIAL.scope(Arc::clone(self), future).await
    }

    /// Whether a new connection was handed over: from then on something may have left.
    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Acquire)
    }

    fn current() -> Result<Arc<Self>, DialRefusal> {
        DIAL.try_with(Arc::clone)
            .map_err(|_| DialRefusal::NoAttempt)
    }
}

/// Why a connection is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialRefusal {
    #[error("no connection in time")]
    Unanswered,
    #[error("the connection was ready too late to be used")]
    Late,
    #[error("a connection was started outside an attempt")]
    NoAttempt,
}

/// Answers with the current attempt's vetted addresses; it never looks anything up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vetted;

impl Resolve for Vetted {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async {
            let dial = Dial::current()?;
            let addresses: Addrs = Box::new(dial.addresses.clone().into_iter());
            Ok(addresses)
        })
    }
}

/// Lets a connection through only while its attempt may still start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InTime;

impl<S> Layer<S> for InTime {
    type Service = InTimeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InTimeService(inner)
    }
}

/// The connector that [`InTime`] makes.
#[derive(Clone, Debug)]
pub(crate) struct InTimeService<S>(S);

impl<S, R> Service<R> for InTimeService<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let dial = Dial::current();
        let connecting = self.0.call(request);
        Box::pin(async move {
            let dial = dial?;
            let connection = timeout_at(dial.deadline, connecting)
                .await
                .map_err(|_| DialRefusal::Unanswered)??;
            if Instant::now() > dial.deadline {
                return Err(DialRefusal::Late.into());
            }
            dial.is_connected.store(true, Ordering::Release);
            Ok(connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::identity;
    use std::future::{pending, ready};

    use super::*;

    fn dial(deadline: Instant) -> Arc<Dial> {
        Arc::new(Dial {
            addresses: Vec::new(),
            deadline,
            is_connected: AtomicBool::new(false),
        })
    }

    async fn refusal<F>(dial: &Arc<Dial>, connecting: F) -> Option<DialRefusal>
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let mut connector = InTime.layer(tower::service_fn(identity::<F>));
        let connected = dial
            .during(async { connector.call(connecting).await })
            .await;
        connected.err().map(|error| *error.downcast().unwrap())
    }

    #[tokio::test]
    async fn a_connection_ready_too_late_is_not_used() {
        let late = dial(Instant::now() - Duration::from_secs(1));
        assert_eq!(refusal(&late, ready(Ok(()))).await, Some(DialRefusal::Late));
        assert_eq!(
            refusal(&late, pending()).await,
            Some(DialRefusal::Unanswered)
        );
        assert!(!late.is_connected());

        let in_time = dial(Instant::now() + Duration::from_secs(60));
        assert_eq!(refusal(&in_time, ready(Ok(()))).await, None);
        assert!(in_time.is_connected());
    }

    #[tokio::test]
    async fn without_an_attempt_nothing_is_dialled() {
        let mut connector = InTime.layer(tower::service_fn(|()| async { Ok(()) }));
        let error = connector.call(()).await.unwrap_err();
        assert_eq!(
            *error.downcast::<DialRefusal>().unwrap(),
            DialRefusal::NoAttempt
        );
        let name = "example.com".parse().unwrap();
        assert!(Vetted.resolve(name).await.is_err());
    }
}
